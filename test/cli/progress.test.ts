import { PassThrough } from 'node:stream';
import { expect, test } from '@jest/globals';
import { listenForInterrupt } from '../../src/cli/interrupt.js';
import { createProgress } from '../../src/cli/progress.js';

function fakeStream(isTTY: boolean) {
  const stream = Object.assign(new PassThrough(), { isTTY, columns: 120 });
  stream.setEncoding('utf8');
  return { stream: stream as unknown as NodeJS.WriteStream, written: () => String(stream.read() ?? '') };
}

test('without a terminal: a line at the start, at the end and every 15 seconds, and every log line', () => {
  const { stream, written } = fakeStream(false);
  let time = 0;
  const { show } = createProgress(stream, () => time);
  for (let done = 1; done <= 10; done++) {
    show({ phase: 'train', done, total: 10, text: `loss ${10 - done}` });
    time += 4_000;
  }
  show({ message: 'epoch 1: AP50 0.5' });
  show({ phase: 'evaluate', done: 1, total: 2 });
  expect(written()).toBe(
    'train 1/10  loss 9\ntrain 5/10  loss 5\ntrain 9/10  loss 1\ntrain 10/10  loss 0\nepoch 1: AP50 0.5\nevaluate 1/2\n',
  );
});

test('on a terminal: a bar that makes way for lines and leaves nothing running', () => {
  const { stream, written } = fakeStream(true);
  const { show, close } = createProgress(stream);
  show({ phase: 'train', done: 3, total: 10, text: 'loss 1.5' });
  show({ message: 'saved' });
  const screen = written();
  expect(screen).toContain('3/10');
  expect(screen).toContain('loss 1.5');
  expect(screen).toContain('saved\n');
  show({ phase: 'train', done: 10, total: 10 });
  close();
});

test('the first signal aborts, the second kills, and none is heard after stop', () => {
  let [heard, time] = [0, 0];
  const codes: number[] = [];
  const { signal, stop } = listenForInterrupt(
    () => heard++,
    (code) => codes.push(code),
    () => time,
  );
  process.emit('SIGHUP', 'SIGHUP');
  expect([signal.aborted, signal.reason, heard, codes]).toEqual([
    true,
    expect.objectContaining({ exitCode: 129 }),
    1,
    [],
  ]);
  time = 10; // npx, or a machine that shuts down, sends a second one together with the first
  process.emit('SIGTERM', 'SIGTERM');
  expect(codes).toEqual([]);
  time = 1000;
  process.emit('SIGINT', 'SIGINT');
  expect(codes).toEqual([130]);
  const others = process.listenerCount('SIGINT');
  stop();
  expect(process.listenerCount('SIGINT')).toBe(others - 1);
});
