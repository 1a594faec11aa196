/** Version of this program; a test holds it against package.json. */
export const VERSION = '1.0.0-alpha.1';

/** Epoch ms before which no clock can be right: raised with each release. */
export const BUILD_DATE = Date.UTC(2026, 10, 23);
