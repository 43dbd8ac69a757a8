import { describe, expect, test } from '@jest/globals';
import type { ParamAttrs } from '../../src/graph/spec.js';
import type { Backbone } from '../../src/models/backbone.js';
import { planGroups, type GroupOptions } from '../../src/train/groups.js';

const backbone = { stages: [['backbone.stem'], ['backbone.blocks.0'], ['backbone.blocks.1']] } as unknown as Backbone;
const roles = {
  'backbone.stem.weight': 'weight',
  'backbone.stem.bn.weight': 'scale',
  'backbone.blocks.0.weight': 'weight',
  'backbone.blocks.1.weight': 'weight',
  'head.weight': 'weight',
  'head.bias': 'bias',
} as const;
const parameters = new Map(Object.entries(roles).map(([name, role]) => [name, { name, role } as ParamAttrs]));
const names = [...parameters.keys()];
const plan = (options: Partial<GroupOptions>) =>
  planGroups(backbone, parameters, names, {
    groups: [],
    backboneLr: 1,
    layerDecay: 1,
    weightDecay: 0.1,
    decayOn: 'weights',
    ...options,
  });

describe('groups of parameters', () => {
  test('weights decay and nothing else does, unless all is to', () => {
    expect(names.filter((name) => plan({})(name).weightDecay > 0)).toEqual(names.filter((name) => /(stem|\d|head)\.weight$/.test(name))); // prettier-ignore
    expect(names.every((name) => plan({ decayOn: 'all' })(name).weightDecay === 0.1)).toBe(true);
  });

  test('the learning rate falls from stage to stage towards the input', () => {
    const groupOf = plan({ layerDecay: 0.5, backboneLr: 0.8 });
    const rate = (name: string): number => groupOf(name).lr;
    expect(names.map(rate)).toEqual([0.1, 0.1, 0.2, 0.4, 1, 1]);
  });

  test('patterns give rates and decays of their own', () => {
    const groupOf = plan({
      groups: [
        { pattern: 'backbone.*', lr: 0.1 },
        { pattern: 'head.*', lr: 2, weightDecay: 0.5 },
      ],
    });
    expect(groupOf('backbone.stem.weight')).toEqual({ lr: 0.1, weightDecay: 0.1 });
    expect(groupOf('head.weight')).toEqual({ lr: 2, weightDecay: 0.5 });
    expect(groupOf('head.bias')).toEqual({ lr: 2, weightDecay: 0 });
  });

  test('no parameter without a group, none with two, no pattern without a parameter', () => {
    const groups = [
      { pattern: 'backbone.blocks.*', lr: 1 },
      { pattern: '*.0.weight', lr: 1 },
      { pattern: 'neck.*', lr: 1 },
    ];
    expect(() => plan({ groups })).toThrow(
      expect.objectContaining({
        code: 'E_GROUP_PATTERN',
        problems: [
          expect.objectContaining({ message: expect.stringMatching(/^no pattern .* backbone\.stem\.weight.*head\.bias$/) }),
          expect.objectContaining({ message: expect.stringMatching(/groups\[0\].*matches backbone\.blocks\.0\.weight, which another/) }),
          expect.objectContaining({ message: expect.stringMatching(/groups\[1\].*which another/) }),
          expect.objectContaining({ message: expect.stringMatching(/groups\[2\].*matches no trained parameter/) }),
        ],
      }),
    ); // prettier-ignore
  });
});
