// Runs the SQL statements of standard input, a JSON list, and prints the rows of each as a line of JSON.
const { DuckDBInstance } = require('@duckdb/node-api');

(async () => {
  const statements = JSON.parse(require('fs').readFileSync(0, 'utf8'));
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await connection.run("set TimeZone = 'UTC'");
  for (const statement of statements) {
    const reader = await connection.runAndReadAll(statement);
    console.log(JSON.stringify(reader.getRowObjectsJson()));
  }
})().catch((error) => {
  console.error(error.message);
  process.exit(1);
});
