/** Imports go one way (ARCHITECTURE.md). Each rule says why it is there. */
const rule = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });
const folder = (...names) => `^(${names.join('|')})/`;

module.exports = {
  forbidden: [
    rule(
      'no-cycles',
      'A cycle means that two parts are one part nobody can understand alone.',
      {},
      { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    ),
    rule(
      'domain-is-pure',
      'The rules must hold wherever they run; they know no other part but the shapes of a runbook.',
      { path: folder('domain') },
      { path: folder('engine', 'workflows', 'activities', 'systems', 'workers', 'gateway', 'cli', 'local', 'test') },
    ),
    rule(
      'runbooks-know-the-domain-only',
      'A runbook is data; checking it must not need a system.',
      { path: folder('runbooks') },
      { path: folder('engine', 'workflows', 'activities', 'systems', 'workers', 'gateway', 'cli', 'local', 'test') },
    ),
    rule(
      'engine-knows-neither-temporal-nor-systems',
      'The same engine runs on Temporal and in the simulator.',
      { path: folder('engine') },
      { path: folder('workflows', 'activities', 'systems', 'workers', 'gateway', 'cli', 'local', 'test') },
    ),
    rule(
      'engine-imports-no-temporal',
      'The engine takes clock, activities and children from its runtime.',
      { path: folder('engine', 'domain') },
      { path: 'node_modules/(@temporalio|pg|pino)' },
    ),
    rule(
      'workflows-never-reach-systems',
      'Workflow code is replayed: a driver in the bundle would break it.',
      { path: folder('workflows'), pathNot: '^workflows/bundle' },
      {
        path: [
          folder('systems', 'activities', 'workers', 'gateway', 'cli', 'local', 'test'),
          'node_modules/(pg|pino|@temporalio/(client|worker|activity))',
        ],
      },
    ),
    rule(
      'pure-parts-have-no-node-builtins',
      'They are bundled into the workflow sandbox.',
      { path: folder('domain', 'engine', 'workflows'), pathNot: '^workflows/bundle' },
      { dependencyTypes: ['core'] },
    ),
    rule(
      'systems-know-nothing-of-temporal',
      'A system can be used and tested without a server.',
      { path: folder('systems') },
      {
        path: [
          'node_modules/@temporalio',
          folder('workflows', 'activities', 'workers', 'gateway', 'cli', 'local', 'test'),
        ],
      },
    ),
    rule(
      'systems-know-shapes-only',
      'What a runbook and the engine’s contract look like is shared; how they work is not.',
      { path: folder('systems') },
      { path: folder('engine', 'runbooks'), dependencyTypesNot: ['type-only'] },
    ),
    rule(
      'activities-are-thin',
      'They join the engine’s contract to systems; composition is the workers’.',
      { path: folder('activities') },
      { path: folder('workers', 'gateway', 'cli', 'local', 'test') },
    ),
    rule(
      'auditor-shares-no-code',
      'An auditor that uses the copier’s code would share its mistakes.',
      { path: '^local/audit/' },
      { path: ['^systems/', '^runbooks/', '^engine/', '^activities/'] },
    ),
    rule(
      'product-does-not-know-its-tests',
      'Test code and measurements never ship.',
      {
        path: folder(
          'domain',
          'runbooks',
          'engine',
          'workflows',
          'activities',
          'systems',
          'workers',
          'gateway',
          'cli',
          'local',
        ),
      },
      { path: '^(test|bench)/' },
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|out|\\.cutover)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.js'] },
  },
};
