/** Chooses what a document begins with. */
import FormField from '@cloudscape-design/components/form-field';
import Select from '@cloudscape-design/components/select';
import { useState } from 'react';

import { TEMPLATES, templateText } from './starters';

const OPTIONS = TEMPLATES.map(({ id, title }) => ({ value: id, label: title }));

export function TemplateSelect({ onChoose }: { onChoose: (document: string) => void }) {
  const [chosen, setChosen] = useState(OPTIONS[0]);
  return (
    <FormField label="Begin with" description="Choosing another one replaces the document below.">
      <Select
        selectedOption={chosen ?? null}
        options={OPTIONS}
        onChange={({ detail }) => {
          setChosen(OPTIONS.find(({ value }) => value === detail.selectedOption.value));
          const template = TEMPLATES.find(({ id }) => id === detail.selectedOption.value);
          if (template) onChoose(templateText(template));
        }}
      />
    </FormField>
  );
}
