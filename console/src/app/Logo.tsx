/** The mark: a roof over water. */
export function Logo({ size = 28 }: { size?: number }) {
  return <img src={LOGO} width={size} height={size} alt="" />;
}

export const LOGO = `${import.meta.env.BASE_URL}icon.svg`;
