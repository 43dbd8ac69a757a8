import { FinetuneError } from '../../errors.js';
import { TorchTensor } from './torchGlobals.js';

/** Where training scripts put the weights of a checkpoint, the averaged ones first: timm's order. */
const NESTED = ['state_dict_ema', 'model_ema', 'state_dict', 'model_state_dict', 'model', 'net', 'weights'];
/** Prefixes that wrappers add to all names: DataParallel, torch.compile. */
const PREFIXES = ['module.', '_orig_mod.'];

/** Finds the tensors of a state dict by name, at the top or one level down. Throws E_TORCH_STATE_DICT. */
export function findStateDict(root: unknown, file: string) {
  const fail = (message: string) =>
    new FinetuneError({
      code: 'E_TORCH_STATE_DICT',
      message,
      where: { file },
      fix: 'save it again with torch.save(model.state_dict(), …)',
    });
  if (!(root instanceof Map)) throw fail('the file holds no dict of tensors');
  const key = NESTED.find((name) => hasTensors(root.get(name)));
  const found = key === undefined ? root : (root.get(key) as Map<unknown, unknown>);
  const tensors = new Map<string, TorchTensor>();
  for (const [name, value] of found) {
    if (typeof name === 'string' && value instanceof TorchTensor) tensors.set(name, value);
  }
  if (tensors.size === 0) {
    const names = [...root.keys()].slice(0, 5).map(String).join(', ');
    throw fail(`the dict holds no tensors${names ? ` (its keys: ${names})` : ''}`);
  }
  const prefix = commonPrefix([...tensors.keys()]);
  const metadata: Record<string, string> = {};
  if (key !== undefined) metadata['state dict'] = key;
  if (prefix !== '') metadata['prefix'] = prefix;
  for (const [name, value] of root) {
    if (typeof name === 'string' && (typeof value === 'string' || typeof value === 'number')) {
      metadata[name] = String(value).slice(0, 100); // such as epoch and arch
    }
  }
  return { tensors: new Map([...tensors].map(([name, tensor]) => [name.slice(prefix.length), tensor])), metadata };
}

const hasTensors = (value: unknown): boolean =>
  value instanceof Map && [...value.values()].some((entry) => entry instanceof TorchTensor);

/** Returns the prefixes with which every name starts, joined. */
function commonPrefix(names: readonly string[]): string {
  let prefix = '';
  for (;;) {
    const more = PREFIXES.find((one) => names.every((name) => name.startsWith(prefix + one)));
    if (more === undefined) return prefix;
    prefix += more;
  }
}
