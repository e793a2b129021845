/** What the parts of the data directory take up, as one bar and as a list. */
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';

import type { DiskPart, ServerFacts } from '../../../aws/platform';
import { PALETTE, PALETTE_DARK } from '../../../lib/chart-option';
import { bytes, count, duration } from '../../../lib/format';
import { Loading } from '../../../lib/states';
import { DataTable } from '../../../lib/table';
import { useDark } from '../../../lib/theme';
import { textOf } from './parts';

interface Coloured extends DiskPart {
  colour: string;
}

export function DataDirectory({ used, free }: { used: ServerFacts['DataDirectory']; free: number | undefined }) {
  const palette = useDark() ? PALETTE_DARK : PALETTE;
  if (!used) {
    return (
      <Container header={<Header variant="h2">Data directory</Header>}>
        <Loading text="Measuring" />
      </Container>
    );
  }
  const parts = used.Parts.map((part, at): Coloured => ({ ...part, colour: palette[at % palette.length] ?? '' })).sort((a, b) => b.Bytes - a.Bytes);
  const all = parts.reduce((sum, { Bytes }) => sum + Bytes, 0);
  return (
    <Container
      header={
        <Header variant="h2" info={<strong>{bytes(all)}</strong>} description={`${free === undefined ? '' : `${bytes(free)} are free. `}Measured ${used.SecondsAgo < 1 ? 'just now' : `${duration(used.SecondsAgo * 1000)} ago`}.`}>
          Data directory
        </Header>
      }
    >
      <SpaceBetween size="m">
        <div className="bh-parts" role="img" aria-label={parts.map(({ Part, Bytes }) => `${textOf(Part).title} ${bytes(Bytes)}`).join(', ')}>
          {parts.filter(({ Bytes }) => Bytes > 0).map(({ Part, Bytes, colour }) => (
            <span key={Part} style={{ flexGrow: Bytes, background: colour }} title={`${textOf(Part).title}: ${bytes(Bytes)}`} />
          ))}
        </div>
        <DataTable
          label="Parts of the data directory"
          title={false}
          filter={false}
          items={parts}
          rowKey={({ Part }) => Part}
          height={460}
          columns={[
            {
              id: 'part',
              header: 'Part',
              width: 170,
              value: ({ Part }) => textOf(Part).title,
              cell: ({ Part, colour }) => (
                <>
                  <span className="bh-dot" style={{ background: colour }} /> {textOf(Part).title}
                </>
              ),
            },
            { id: 'bytes', header: 'On the disk', width: 130, align: 'right', value: ({ Bytes }) => Bytes, cell: ({ Bytes }) => bytes(Bytes) },
            { id: 'share', header: 'Share', width: 100, align: 'right', value: ({ Bytes }) => Bytes, cell: ({ Bytes }) => (all > 0 ? `${((Bytes / all) * 100).toFixed(1)} %` : '–') },
            { id: 'files', header: 'Files', width: 110, align: 'right', value: ({ Files }) => Files, cell: ({ Files }) => count(Files) },
            { id: 'about', header: 'What it is', cell: ({ Part }) => <span title={textOf(Part).about}>{textOf(Part).about}</span> },
          ]}
        />
      </SpaceBetween>
    </Container>
  );
}
