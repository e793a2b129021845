/** A presigned link, made in the browser with the session's keys: it ends when they do. */
import Alert from '@cloudscape-design/components/alert';
import CopyToClipboard from '@cloudscape-design/components/copy-to-clipboard';
import FormField from '@cloudscape-design/components/form-field';
import Modal from '@cloudscape-design/components/modal';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Textarea from '@cloudscape-design/components/textarea';
import { useMemo, useState } from 'react';

import { presignedUrl } from '../../aws/s3';
import { requireSession } from '../../aws/session';
import { duration } from '../../lib/format';
import { Time } from '../../lib/time';

const CHOICES = [60, 300, 900, 1800, 3600];

/** How long links may last, in seconds: not beyond the session. */
export function choices(left: number): number[] {
  const whole = Math.floor(left);
  const below = CHOICES.filter((seconds) => seconds < whole);
  return [...below, ...(whole > 0 && whole <= (CHOICES.at(-1) ?? 0) ? [whole] : [])];
}

interface ShareLinkProps {
  bucket: string;
  objectKey: string;
  version: string | undefined;
  onClose: () => void;
}

export function ShareLink({ bucket, objectKey, version, onClose }: ShareLinkProps) {
  const ends = requireSession().expiresAt;
  const possible = useMemo(() => choices((ends - Date.now()) / 1000), [ends]);
  const [seconds, setSeconds] = useState(possible.includes(900) ? 900 : (possible.at(-1) ?? 60));
  const made = useMemo(() => {
    const link = presignedUrl(bucket, objectKey, seconds, version ? [['versionId', version]] : []);
    return { link, until: new Date(Date.now() + seconds * 1000) };
  }, [bucket, objectKey, version, seconds]);
  const options = possible.map((value) => ({ value: String(value), label: value === possible.at(-1) && !CHOICES.includes(value) ? `${duration(value * 1000)}, until the session ends` : duration(value * 1000) }));
  return (
    <Modal visible header="Share by a presigned link" closeAriaLabel="Close" onDismiss={onClose} size="large">
      <SpaceBetween size="m">
        <FormField label="It works for">
          <Select selectedOption={options.find(({ value }) => value === String(seconds)) ?? null} options={options} onChange={({ detail }) => setSeconds(Number(detail.selectedOption.value))} />
        </FormField>
        <FormField label="Link" description={<>Until <Time at={made.until} /></>}>
          <Textarea value={made.link} readOnly rows={6} spellcheck={false} />
        </FormField>
        <CopyToClipboard textToCopy={made.link} copyButtonText="Copy link" copySuccessText="Copied" copyErrorText="It could not be copied" />
        <Alert type="info">Whoever has the link reads this object as you, without signing in. It reaches no further than this server does, and ends with your session at the latest.</Alert>
      </SpaceBetween>
    </Modal>
  );
}
