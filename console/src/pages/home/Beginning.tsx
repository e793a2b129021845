/** What to do on a platform on which there is nothing yet. */
import Box from '@cloudscape-design/components/box';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import Link from '@cloudscape-design/components/link';

import { to } from '../../lib/router';

const STEPS = [
  { title: 'Make a bucket and upload a file', text: 'CSV, JSON or Parquet: drop it into the browser.', href: to('/storage'), go: 'To the buckets' },
  { title: 'Crawl it', text: 'A crawler looks at the files and writes their tables into the catalogue.', href: to('/catalogue'), go: 'To the catalogue' },
  { title: 'Ask in SQL', text: 'Trino’s SQL over your files, with the result as a table or a chart.', href: to('/query'), go: 'To the editor' },
  { title: 'Let it run by itself', text: 'Streams and APIs bring data in, functions and jobs change it, state machines and schedules say when.', href: to('/pipelines'), go: 'To the pipelines' },
];

export function Beginning() {
  return (
    <Container
      header={
        <Header variant="h2" description="Nothing is deployed here yet. Four steps, each of which works by itself:">
          What to do next
        </Header>
      }
    >
      <ol className="bh-steps">
        {STEPS.map(({ title, text, href, go }, at) => (
          <li key={title}>
            <span className="bh-step-number" aria-hidden="true">
              {at + 1}
            </span>
            <div>
              <Box variant="h3">{title}</Box>
              <Box color="text-body-secondary">{text}</Box>
              <Link href={href}>{go}</Link>
            </div>
          </li>
        ))}
      </ol>
      <Box color="text-body-secondary" margin={{ top: 'l' }}>
        Or see a whole platform at work: <code>boathouse demo --keep</code> deploys one, feeds it real flights, and lets it run for a
        day.
      </Box>
    </Container>
  );
}
