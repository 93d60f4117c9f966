import { pick, useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { EXAMPLES } from './examples';

/**
 * The examples are the tabs of a first visit; after that GraphiQL keeps the tabs as they were left.
 * From here one gets them back, after closing or changing a tab and after an upgrade.
 */
export function ExampleMenu() {
  const { addTab, changeTab } = useGraphiQLActions();
  const { tabs, queryEditor, variableEditor } = useGraphiQL(
    pick('tabs', 'queryEditor', 'variableEditor'),
  );

  function open(index: number) {
    const example = EXAMPLES[index];
    if (!example) return;
    const existing = tabs.findIndex(
      tab => tab.query === example.query && (tab.variables ?? '') === (example.variables ?? ''),
    );
    if (existing >= 0) {
      changeTab(existing);
      return;
    }
    addTab();
    queryEditor?.setValue(example.query);
    variableEditor?.setValue(example.variables ?? '');
  }

  return (
    <select
      className="example-menu"
      aria-label="Open an example"
      value=""
      onChange={event => open(Number(event.target.value))}
    >
      <option value="" disabled hidden>
        Examples
      </option>
      {EXAMPLES.map((example, index) => (
        <option key={example.label} value={index}>
          {example.label}
        </option>
      ))}
    </select>
  );
}
