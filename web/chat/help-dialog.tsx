import { Dialog } from '../shared/dialog.tsx';
import { useTexts } from './texts.ts';

export function HelpDialog({ onClose }: { onClose(): void }) {
  const { help } = useTexts();
  return (
    <Dialog title={help.title} onClose={onClose}>
      <dl class="keys">
        {help.keys.map(([keys, meaning]) => (
          <div key={meaning}>
            <dt>
              {keys.split(' · ').map((combination) => (
                <span key={combination} class="key-combination">
                  {combination.split(' ').map((key) => (
                    <kbd key={key}>{key}</kbd>
                  ))}
                </span>
              ))}
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
