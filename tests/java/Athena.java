import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.ResponseBytes;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.athena.AthenaAsyncClient;
import software.amazon.awssdk.services.athena.AthenaClient;
import software.amazon.awssdk.services.athena.model.AthenaException;
import software.amazon.awssdk.services.athena.model.ColumnInfo;
import software.amazon.awssdk.services.athena.model.Datum;
import software.amazon.awssdk.services.athena.model.InvalidRequestException;
import software.amazon.awssdk.services.athena.model.MetadataException;
import software.amazon.awssdk.services.athena.model.QueryExecution;
import software.amazon.awssdk.services.athena.model.QueryExecutionState;
import software.amazon.awssdk.services.athena.model.Row;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;

/**
 * What AWS's SDK for Java makes of Athena: statements, pages of results, refusals, prepared statements, the asynchronous
 * client. It says what went well, one line each, and ends with another status than 0 at the first thing that doesn't.
 */
public final class Athena {
    private static final int ROWS = 2_500;

    private final AthenaClient athena;
    private final AthenaAsyncClient asynchronous;
    private final S3Client s3;

    private Athena(URI endpoint) {
        StaticCredentialsProvider credentials = StaticCredentialsProvider.create(AwsBasicCredentials.create("test", "test"));
        athena = AthenaClient.builder().endpointOverride(endpoint).region(Region.US_EAST_1).credentialsProvider(credentials).build();
        asynchronous =
                AthenaAsyncClient.builder().endpointOverride(endpoint).region(Region.US_EAST_1).credentialsProvider(credentials).build();
        s3 = S3Client.builder().endpointOverride(endpoint).region(Region.US_EAST_1).credentialsProvider(credentials).forcePathStyle(true).build();
    }

    public static void main(String[] arguments) throws Exception {
        Athena clients = new Athena(URI.create(arguments[0]));
        clients.s3.createBucket(request -> request.bucket("java"));
        clients.tables();
        clients.pages();
        clients.types();
        clients.refusals();
        clients.preparedStatements();
        clients.inParallel();
        clients.lists();
        System.exit(0);
    }

    private void tables() throws InterruptedException {
        s3.putObject(
                request -> request.bucket("java").key("sales/part.csv"),
                RequestBody.fromString("1,pen,2.50\n2,ink,17.00\n3,desk,\n", StandardCharsets.UTF_8));
        run("CREATE DATABASE IF NOT EXISTS shop");
        run("CREATE EXTERNAL TABLE shop.sales (id int, article string, price decimal(10,2)) "
                + "ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 's3://java/sales/'");
        List<Row> rows = rows(run("SELECT id, article, price FROM shop.sales ORDER BY id"));
        same(List.of("id", "article", "price"), texts(rows.get(0)), "header");
        same(List.of("1", "pen", "2.50"), texts(rows.get(1)), "first row");
        same(null, rows.get(3).data().get(2).varCharValue(), "NULL");
        String id = run("CREATE TABLE shop.dear WITH (format = 'PARQUET') AS SELECT * FROM shop.sales WHERE price > 3");
        same(1L, athena.getQueryResults(request -> request.queryExecutionId(id)).updateCount(), "rows written");
        same("1", texts(rows(run("SELECT count(*) FROM shop.dear")).get(1)).get(0), "rows read back");
        said("tables");
    }

    private void pages() throws InterruptedException {
        String id = run("SELECT n FROM UNNEST(sequence(1, " + ROWS + ")) AS t (n) ORDER BY n");
        int count = 0;
        for (Row row : rows(id)) {
            count += row.hasData() ? 1 : 0;
        }
        same(ROWS + 1, count, "rows of all pages");
        String key = execution(id).resultConfiguration().outputLocation().substring("s3://java/".length());
        ResponseBytes<GetObjectResponse> file = s3.getObjectAsBytes(request -> request.bucket("java").key(key));
        same(ROWS + 1, (int) file.asUtf8String().lines().count(), "lines of the file");
        said("pages");
    }

    private void types() throws InterruptedException {
        String id = run("SELECT 1 AS a, BIGINT '2' AS b, 1.5 AS c, 'x' AS d, DATE '2024-02-29' AS e, ARRAY[1, NULL] AS f, "
                + "TIMESTAMP '2024-02-29 01:02:03.004' AS g, X'0aff' AS h, true AS i, ST_Point(1, 2) AS j");
        List<ColumnInfo> columns = athena.getQueryResults(request -> request.queryExecutionId(id)).resultSet().resultSetMetadata().columnInfo();
        List<String> types = columns.stream().map(ColumnInfo::type).toList();
        same(List.of("integer", "bigint", "decimal", "varchar", "date", "array", "timestamp", "varbinary", "boolean", "Geometry"), types, "types");
        List<String> values = List.of("1", "2", "1.5", "x", "2024-02-29", "[1, null]", "2024-02-29 01:02:03.004", "0a ff", "true", "POINT (1 2)");
        same(values, texts(rows(id).get(1)), "values");
        said("types");
    }

    private void refusals() throws InterruptedException {
        String id = started("SELECT nope FROM shop.sales");
        QueryExecution failed = finished(id);
        same(QueryExecutionState.FAILED, failed.status().state(), "state");
        same(true, failed.status().stateChangeReason().startsWith("COLUMN_NOT_FOUND: line 1:8"), "reason");
        same(2, failed.status().athenaError().errorCategory(), "category");
        refused(InvalidRequestException.class, () -> athena.getQueryResults(request -> request.queryExecutionId(id)));
        refused(InvalidRequestException.class, () -> athena.getQueryExecution(request -> request.queryExecutionId(UUID.randomUUID().toString())));
        refused(InvalidRequestException.class, () -> athena.getWorkGroup(request -> request.workGroup("nope")));
        refused(MetadataException.class, () -> athena.getTableMetadata(request -> request.catalogName("AwsDataCatalog").databaseName("shop").tableName("nope")));
        said("refusals");
    }

    private void preparedStatements() throws InterruptedException {
        athena.createPreparedStatement(request -> request.statementName("by_id").workGroup("primary")
                .queryStatement("SELECT article FROM shop.sales WHERE id = ?"));
        String id = athena.startQueryExecution(request -> request.queryString("EXECUTE by_id").executionParameters("2")
                .resultConfiguration(configuration -> configuration.outputLocation("s3://java/out/"))).queryExecutionId();
        same(QueryExecutionState.SUCCEEDED, finished(id).status().state(), "state");
        same("ink", texts(rows(id).get(1)).get(0), "value");
        athena.deletePreparedStatement(request -> request.statementName("by_id").workGroup("primary"));
        said("prepared statements");
    }

    private void inParallel() throws Exception {
        var all = java.util.stream.IntStream.range(0, 20)
                .mapToObj(number -> asynchronous.startQueryExecution(request -> request.queryString("SELECT " + number)
                        .resultConfiguration(configuration -> configuration.outputLocation("s3://java/out/"))))
                .toList();
        for (int number = 0; number < all.size(); number++) {
            String id = all.get(number).get().queryExecutionId();
            same(QueryExecutionState.SUCCEEDED, finished(id).status().state(), "state");
            same(String.valueOf(number), texts(rows(id).get(1)).get(0), "value");
        }
        said("in parallel");
    }

    private void lists() {
        same(true, athena.listQueryExecutionsPaginator(request -> request.maxResults(10)).stream().mapToLong(page -> page.queryExecutionIds().size()).sum() >= 20, "executions");
        List<String> databases = athena.listDatabasesPaginator(request -> request.catalogName("AwsDataCatalog")).databaseList().stream().map(database -> database.name()).toList();
        same(true, databases.contains("shop"), "databases");
        Map<String, String> columns = new java.util.TreeMap<>();
        athena.getTableMetadata(request -> request.catalogName("AwsDataCatalog").databaseName("shop").tableName("sales"))
                .tableMetadata().columns().forEach(column -> columns.put(column.name(), column.type()));
        same(Map.of("id", "int", "article", "string", "price", "decimal(10,2)"), columns, "columns");
        said("lists");
    }

    private String started(String sql) {
        return athena.startQueryExecution(request -> request.queryString(sql).clientRequestToken(UUID.randomUUID().toString())
                .resultConfiguration(configuration -> configuration.outputLocation("s3://java/out/"))).queryExecutionId();
    }

    private String run(String sql) throws InterruptedException {
        String id = started(sql);
        QueryExecution execution = finished(id);
        if (execution.status().state() != QueryExecutionState.SUCCEEDED) {
            throw new IllegalStateException(sql + ": " + execution.status().stateChangeReason());
        }
        return id;
    }

    private QueryExecution execution(String id) {
        return athena.getQueryExecution(request -> request.queryExecutionId(id)).queryExecution();
    }

    private QueryExecution finished(String id) throws InterruptedException {
        QueryExecution execution = execution(id);
        while (execution.status().state() == QueryExecutionState.QUEUED || execution.status().state() == QueryExecutionState.RUNNING) {
            Thread.sleep(10);
            execution = execution(id);
        }
        return execution;
    }

    private List<Row> rows(String id) {
        return athena.getQueryResultsPaginator(request -> request.queryExecutionId(id).maxResults(1000)).stream()
                .flatMap(page -> page.resultSet().rows().stream()).toList();
    }

    private static List<String> texts(Row row) {
        return row.data().stream().map(Datum::varCharValue).toList();
    }

    private static void refused(Class<? extends AthenaException> as, Runnable call) {
        try {
            call.run();
        }
        catch (AthenaException refusal) {
            same(as, refusal.getClass(), "refusal");
            return;
        }
        throw new IllegalStateException("not refused");
    }

    private static void same(Object wanted, Object found, String what) {
        if (wanted == null ? found != null : !wanted.equals(found)) {
            throw new IllegalStateException(what + ": " + found + " and not " + wanted);
        }
    }

    private static void said(String what) {
        System.out.println(what);
    }
}
