/** Why something was not done, in words, and what one can do about it. */

import { Icon } from '../shared/icon.tsx';
import { useSharedTexts } from '../shared/texts.ts';
import { useSession } from './chat-context.ts';
import type { Operation } from './operation.ts';
import { useTexts } from './texts.ts';

export interface ProblemNoticeProps {
  readonly operation: Operation;
  readonly title: string;
}

/** A failed operation may be tried again where that can help. */
export function canRetry({ problem, isOver }: Operation): boolean {
  return problem?.retryable === true || (!isOver && (problem?.status ?? 0) >= 429);
}

export function ProblemNotice({ operation, title }: ProblemNoticeProps) {
  const { outbox } = useSession();
  const texts = useTexts();
  const shared = useSharedTexts();
  const { key, problem } = operation;
  if (operation.state !== 'failed') return null;
  return (
    <div class="notice danger problem">
      <Icon name="warning" />
      <p class="problem-text">
        <strong>{title}.</strong> {problem?.detail}
      </p>
      <span class="problem-actions">
        {canRetry(operation) && (
          <button type="button" class="button plain" onClick={() => outbox.retry(key)}>
            {shared.retry}
          </button>
        )}
        <button type="button" class="button plain" onClick={() => outbox.discard(key)}>
          {texts.message.remove}
        </button>
      </span>
    </div>
  );
}
