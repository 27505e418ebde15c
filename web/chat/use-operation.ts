/** One operation of a component: whether it is under way, and the problem it ended in. */

import { useState } from 'preact/hooks';
import type { Problem } from '../shared/problem.ts';
import { useSession } from './chat-context.ts';
import type { Request } from './operation.ts';

export interface OperationHandle {
  readonly isBusy: boolean;
  readonly problem: Problem | undefined;
  /** Begins it; `done` is called with what it made. */
  begin(request: Request, done: (data: unknown) => void): void;
}

export function useOperation(): OperationHandle {
  const { outbox } = useSession();
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | undefined>(undefined);
  return {
    isBusy,
    problem,
    begin(request, done) {
      setBusy(true);
      setProblem(undefined);
      const key = outbox.begin(request, (outcome) => {
        setBusy(false);
        if (outcome.kind === 'completed') {
          done(outcome.data);
          return;
        }
        // It is shown here; what is tried again from here is another operation.
        setProblem(outcome.problem);
        if (key !== undefined) outbox.discard(key);
      });
      if (key === undefined) setBusy(false);
    },
  };
}
