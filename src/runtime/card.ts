import { FinetuneError, quoted } from '../errors.js';
import { CARD_VERSION, type ModelCard } from '../modelFolder/card.js';
import type { AnchorRule, Decoding, PointRule } from '../tasks/decoding.js';

/** What the runtime reads of `decode`. */
export interface CardDecoding extends Pick<Decoding, 'grid'> {
  readonly anchors?: AnchorRule;
  readonly points?: PointRule;
  readonly thresholds: { readonly score: number | null };
  readonly nms?: { readonly place: string } | null;
}

/** The card of a model that the runtime can use. */
export type RuntimeCard = Omit<ModelCard, 'decode'> & { readonly decode: CardDecoding };

const failure = (message: string, fix: string): FinetuneError =>
  new FinetuneError({ code: 'E_MODEL_FOLDER', message, fix });

type Entries = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Entries =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The entries that must be objects, or lists. */
const OBJECTS = ['input', 'decode', 'description'] as const;
const LISTS = ['categories', 'outputs'] as const;

/** Takes the content of model-card.json for a card, if it is one that this version understands. Throws E_MODEL_FOLDER. */
export function checkCard(card: unknown): RuntimeCard {
  if (!isObject(card))
    throw failure(`the card is ${quoted(card)} instead of an object`, 'give the parsed content of model-card.json');
  const { version, for: application } = card;
  if (version !== CARD_VERSION) {
    const isNewer = typeof version === 'number' && version > CARD_VERSION;
    const message = `the card has version ${quoted(version)}, and this program reads version ${CARD_VERSION}`;
    throw failure(message, isNewer ? 'update tfjs-finetune' : 'export the model again (finetune export)');
  }
  if (application != null)
    throw failure(`the model was written for ${quoted(application)}`, 'export it without --for to use it here');
  const missing = [
    ...OBJECTS.filter((name) => !isObject(card[name])),
    ...LISTS.filter((name) => !Array.isArray(card[name])),
  ];
  if (missing.length > 0)
    throw failure(`the card has no ${missing.join(' and no ')}`, 'export the model again (finetune export)');
  return card as unknown as RuntimeCard;
}
