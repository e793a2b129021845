/** The theme, written by the build. */
declare module 'virtual:brand.css';
