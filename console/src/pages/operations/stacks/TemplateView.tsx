/** A stack's template as it was given. */
import Button from '@cloudscape-design/components/button';
import CopyToClipboard from '@cloudscape-design/components/copy-to-clipboard';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { type Stack, getTemplate } from '../../../aws/cloudformation';
import { CodeEditor } from '../../../lib/editor';
import { bytes, prettyJson } from '../../../lib/format';
import { useLive } from '../../../lib/live';
import { Shown } from '../../../lib/states';
import { isJson } from './references';

export function TemplateView({ stack }: { stack: Stack }) {
  const template = useLive(`cloudformation/template/${stack.id}/${stack.updated?.getTime()}`, () => getTemplate(stack.id));
  return (
    <Shown live={template} what="The template can't be read">
      {(text) => (
        <SpaceBetween size="s">
          <div className="bh-bar-of-tools">
            <span className="bh-soft">
              {isJson(text) ? 'JSON' : 'YAML'}, {bytes(new Blob([text]).size)}
            </span>
            <CopyToClipboard textToCopy={text} copyButtonText="Copy" copySuccessText="Copied" copyErrorText="Not copied" />
            <Button iconName="download" href={`data:text/plain;charset=utf-8,${encodeURIComponent(text)}`} download={`${stack.name}.${isJson(text) ? 'json' : 'yaml'}`}>
              Download
            </Button>
          </div>
          <CodeEditor label="Template" language={isJson(text) ? 'json' : 'yaml'} value={isJson(text) ? prettyJson(text) : text} readOnly height="max(360px, calc(100vh - 400px))" />
        </SpaceBetween>
      )}
    </Shown>
  );
}
