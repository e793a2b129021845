/** A new key's secret, shown this once: closing the dialog forgets it. */
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import CopyToClipboard from '@cloudscape-design/components/copy-to-clipboard';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';

import type { NewKey } from '../../../aws/iam-keys';
import './iam.css';

export function SecretOnce({ user, secretKey: { id, secret }, onClose }: { user: string; secretKey: NewKey; onClose: () => void }) {
  const [shown, setShown] = useState(false);
  return (
    <Modal
      visible
      header={`Access key of ${user}`}
      closeAriaLabel="Close"
      onDismiss={({ detail }) => detail.reason !== 'overlay' && onClose()}
      footer={
        <Box float="right">
          <Button variant="primary" onClick={onClose}>
            I have kept it
          </Button>
        </Box>
      }
    >
      <SpaceBetween size="m">
        <Alert type="warning">This is the only time that the secret is shown. Who loses it makes another key.</Alert>
        <div className="bh-secret">
          <strong>Access key ID</strong>
          <code>{id}</code>
          <span />
          <Copy label="Copy the access key ID" text={id} />
          <strong>Secret access key</strong>
          <code aria-label="Secret access key">{shown ? secret : '•'.repeat(24)}</code>
          <Button variant="inline-link" onClick={() => setShown(!shown)}>
            {shown ? 'Hide' : 'Show'}
          </Button>
          <Copy label="Copy the secret access key" text={secret} />
        </div>
      </SpaceBetween>
    </Modal>
  );
}

function Copy({ label, text }: { label: string; text: string }) {
  return <CopyToClipboard variant="icon" copyButtonAriaLabel={label} copySuccessText="Copied" copyErrorText="The browser did not copy it" textToCopy={text} />;
}
