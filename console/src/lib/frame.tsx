/** The frame of a page: its title, what it is for, what can be done, and the content. Every page is one of these. */
import ContentLayout from '@cloudscape-design/components/content-layout';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { type ReactNode, useEffect } from 'react';

import { count } from './format';

export interface FrameProps {
  title: string;
  description?: ReactNode;
  /** Buttons to the right of the title. */
  actions?: ReactNode;
  /** How many there are, of a page that is one list (whose table then has no title: `title={false}`). */
  counter?: number | undefined;
  /** Behind the title: a state, a badge. */
  info?: ReactNode;
  children: ReactNode;
}

export function Frame({ title, description, actions, counter, info, children }: FrameProps) {
  useEffect(() => {
    document.title = `${title} · Boathouse`;
  }, [title]);
  return (
    <ContentLayout
      header={
        <Header variant="h1" description={description} actions={actions} info={info} counter={counter === undefined ? '' : `(${count(counter)})`}>
          {title}
        </Header>
      }
    >
      <SpaceBetween size="l">{children}</SpaceBetween>
    </ContentLayout>
  );
}

/** Names and values beside each other. */
export { default as KeyValuePairs } from '@cloudscape-design/components/key-value-pairs';
