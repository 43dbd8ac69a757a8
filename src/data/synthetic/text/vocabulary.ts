import type { RandomStream } from '../../../random.js';
import type { Script } from './fonts.js';

/** Words of signs, shops, menus and labels. */
const english =
  'open closed sale exit entrance push pull stop street avenue road park parking hotel cafe coffee tea bar grill pizza ' +
  'restaurant kitchen bakery fresh juice water beer wine food market store shop book books bank cash money gold silver ' +
  'express post office police fire school library museum theatre cinema music radio video camera phone mobile computer ' +
  'internet digital service center station metro bus taxi train airport gate platform ticket tickets information help ' +
  'welcome please thank you no smoking danger warning caution keep out private property men women toilet lift stairs ' +
  'floor level north south east west left right up down new old big small best hot cold free only now today tomorrow ' +
  'monday tuesday wednesday thursday friday saturday sunday january april june october december morning evening night ' +
  'hours days weeks the and for with from off all our your more less price prices special offer discount save buy ' +
  'fashion style shoes sport baby kids toys home garden flowers beauty salon hair nails spa health medical dental clinic ' +
  'pharmacy doctor hospital care life love world city town village house garage repair tools paint glass wood metal ' +
  'electric power energy solar green blue red black white royal grand star sun moon ocean river lake mountain forest ' +
  'university college institute research science art gallery design studio print copy paper press news times daily ' +
  'limited company group partners associates international global union national central first second third one two';
const signs = english.split(' ');

/** Parts of syllables in each script, from which words are made up. */
const syllables: Readonly<
  Record<Script, { readonly onsets: string; readonly vowels: string; readonly codas: string }>
> = {
  latin: { onsets: 'b c d f g h j k l m n p r s t v w z', vowels: 'a e i o u ea ou', codas: 'n r s t l m ck ng x' },
  cyrillic: {
    onsets: 'б в г д ж з к л м н п р с т ф х ц ч ш',
    vowels: 'а е и о у я ы ю',
    codas: 'н р с т л м й к щ',
  },
  greek: { onsets: 'β γ δ θ κ λ μ ν π ρ σ τ φ χ', vowels: 'α ε η ι ο υ ω', codas: 'ν ρ ς λ' },
  hebrew: { onsets: 'ב ג ד ה ז ח ט כ ל מ נ ס פ ק ר ש ת', vowels: 'א ו י ע', codas: 'ם ן ל ר ת' },
  hangul: {
    onsets: '가 나 다 라 마 바 사 아 자 한 대 서 부 인 정 우 리 전 기 시',
    vowels: '이 도 구 주 로 수 원 장 트 스',
    codas: '합 상 일 관 방 선 문',
  },
};

const pick = <T>(random: RandomStream, list: readonly T[]): T => list[random.integer(0, list.length)]!;
const digits = (random: RandomStream, count: number): string =>
  Array.from({ length: count }, () => String(random.integer(0, 10))).join('');

/** Draws a word of the script: for Latin mostly one of the list, else syllables, or something with digits. */
export function drawWord(random: RandomStream, script: Script): string {
  if (script !== 'latin') return drawCase(random, invent(random, script));
  if (random.chance(0.18)) return drawNumber(random);
  const cased = drawCase(random, random.chance(0.7) ? pick(random, signs) : invent(random, script));
  return random.chance(0.06) ? cased + pick(random, ['.', ',', '!', ':', '?', '-']) : cased;
}

function invent(random: RandomStream, script: Script): string {
  const { onsets, vowels, codas } = syllables[script];
  const count = random.integer(1, 4);
  const parts = Array.from({ length: count }, () => pick(random, onsets.split(' ')) + pick(random, vowels.split(' ')));
  return parts.join('') + (random.chance(0.5) ? pick(random, codas.split(' ')) : '');
}

function drawNumber(random: RandomStream): string {
  const forms = [
    () => digits(random, random.integer(1, 5)),
    () => `${digits(random, 1)}.${digits(random, 2)}`,
    () => `$${digits(random, random.integer(1, 4))}`,
    () => `${random.integer(1, 100)}%`,
    () => `${digits(random, 3)}-${digits(random, 4)}`,
    () => `${random.integer(0, 24)}:${digits(random, 2)}`,
    () => `${pick(random, ['A', 'B', 'C', 'E', 'M', 'NO', 'KM'])}${digits(random, random.integer(1, 4))}`,
    () => `${random.integer(1980, 2030)}`,
  ];
  return pick(random, forms)();
}

function drawCase(random: RandomStream, word: string): string {
  const form = random.next();
  if (form < 0.4) return word.toUpperCase();
  return form < 0.75 ? word.slice(0, 1).toUpperCase() + word.slice(1) : word;
}
