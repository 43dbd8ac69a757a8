import type { RandomStream } from '../../random.js';

/** Converts hue (degrees), saturation and lightness (0…1) to #rrggbb. */
export function hsl(hue: number, saturation: number, lightness: number): string {
  const chroma = saturation * Math.min(lightness, 1 - lightness);
  const channel = (n: number) => {
    const k = (n + (((hue % 360) + 360) % 360) / 30) % 12;
    const value = lightness - chroma * Math.max(-1, Math.min(k - 3, 9 - k, 1));
    return Math.round(255 * Math.min(1, Math.max(0, value)))
      .toString(16)
      .padStart(2, '0');
  };
  return `#${channel(0)}${channel(8)}${channel(4)}`;
}

/** The colours of one object. They do not depend on its class: only its shape tells the class. */
export interface Palette {
  readonly main: string;
  readonly light: string;
  readonly dark: string;
  readonly accent: string;
  readonly accentDark: string;
  readonly paper: string;
  readonly ink: string;
}

export function drawPalette(random: RandomStream): Palette {
  const hue = random.uniform(0, 360);
  const saturation = random.uniform(0.35, 0.85);
  const lightness = random.uniform(0.38, 0.68);
  const accent = hue + random.uniform(70, 290);
  const accentLightness = random.uniform(0.35, 0.7);
  return {
    main: hsl(hue, saturation, lightness),
    light: hsl(hue, saturation * 0.9, Math.min(0.9, lightness + 0.16)),
    dark: hsl(hue, saturation, lightness * 0.62),
    accent: hsl(accent, saturation * 0.9, accentLightness),
    accentDark: hsl(accent, saturation * 0.9, accentLightness * 0.65),
    paper: hsl(hue + 180, 0.3, random.uniform(0.88, 0.97)),
    ink: hsl(hue, 0.25, random.uniform(0.1, 0.22)),
  };
}
