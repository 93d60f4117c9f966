import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { buildSchema, getOperationAST, parse, validate } from 'graphql';
import { getVariableValues } from 'graphql/execution/values.js';

const schemaFile =
  process.env.FOOTFALL_SCHEMA ?? new URL('../../../schema.graphql', import.meta.url);
const schema = buildSchema(readFileSync(schemaFile, 'utf8'));

const folder = new URL('../src/examples/', import.meta.url);
const files = readdirSync(folder).sort();
const queryFiles = files.filter(name => name.endsWith('.graphql'));

function readExample(file) {
  const query = readFileSync(new URL(file, folder), 'utf8');
  const document = parse(query);
  return { query, document, operation: getOperationAST(document) };
}

test('every file of variables belongs to an example', () => {
  const orphans = files.filter(
    name => name.endsWith('.json') && !files.includes(name.replace('.json', '.graphql')),
  );
  assert.deepEqual(orphans, []);
});

test('every tab has a title of its own', () => {
  const titles = queryFiles.map(file => readExample(file).operation?.name?.value);
  assert.ok(titles.length >= 9 && titles.every(Boolean));
  assert.equal(new Set(titles).size, titles.length);
});

for (const file of queryFiles) {
  const { query, document, operation } = readExample(file);

  test(`${file} is valid against the schema`, () => {
    assert.deepEqual(validate(schema, document), []);
  });

  test(`${file} begins with the line the menu shows`, () => {
    assert.match(query, /^# \S.{5,60}\n/);
  });

  test(`${file} comes with the variables it needs`, () => {
    const variablesFile = file.replace('.graphql', '.json');
    const given = files.includes(variablesFile)
      ? JSON.parse(readFileSync(new URL(variablesFile, folder), 'utf8'))
      : {};
    const declared = operation.variableDefinitions ?? [];
    assert.deepEqual(getVariableValues(schema, declared, given).errors, undefined);
    const names = declared.map(definition => definition.variable.name.value);
    assert.deepEqual(Object.keys(given).filter(name => !names.includes(name)), []);
  });
}
