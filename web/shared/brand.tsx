import icon from './icon.svg';

export function Brand({ name = 'Troupe' }: { readonly name?: string }) {
  return (
    <p class="brand">
      <img src={icon} alt="" width="28" height="28" />
      <span>{name}</span>
    </p>
  );
}
