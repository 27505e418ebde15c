/** What inspection hides of the chat: fields of states and events that hold what people wrote, or who they are. */
export const personal = ['email', 'content', 'translation', 'username'] as const;
