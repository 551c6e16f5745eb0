declare module "*.css";

declare module "*.css?inline" {
  const text: string;
  export default text;
}

/** Tells builds of the assets apart; not there where nothing was bundled. */
declare const ASSETS_BUILD: string | undefined;
