import com.fasterxml.jackson.databind.ObjectMapper;
import io.trino.Session;
import io.trino.execution.ExecutionFailureInfo;
import io.trino.operator.Driver;
import io.trino.operator.OutputFactory;
import io.trino.operator.TaskContext;
import io.trino.plugin.memory.MemoryConnectorFactory;
import io.trino.spi.Page;
import io.trino.spi.TrinoException;
import io.trino.spi.block.Block;
import io.trino.spi.block.SqlMap;
import io.trino.spi.block.SqlRow;
import io.trino.spi.type.ArrayType;
import io.trino.spi.type.MapType;
import io.trino.spi.type.RowType;
import io.trino.spi.type.SqlTimestamp;
import io.trino.spi.type.SqlTimestampWithTimeZone;
import io.trino.spi.type.SqlVarbinary;
import io.trino.spi.type.TimeZoneKey;
import io.trino.spi.type.Type;
import io.trino.sql.parser.ParsingException;
import io.trino.sql.planner.Plan;
import io.trino.sql.planner.plan.OutputNode;
import io.trino.testing.LocalQueryRunner;
import io.trino.testing.PageConsumerOperator.PageConsumerOutputFactory;
import io.trino.testing.TestingSession;
import io.trino.testing.TestingTaskContext;
import io.trino.util.Failures;
import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.StringJoiner;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Runs every statement of a folder's .sql files on Trino and writes what came out beside them, one JSON object a line.
 *
 * <p>A statement ends with a semicolon at the end of a line; lines between statements that begin with two dashes are
 * comments. setup.sql makes the tables; differences.sql repeats statements of the other files;
 * geospatial.sql is Geospatial.java's. An object has the members
 * sql, and either columns (name and type of each, as Trino displays types) with rows, or error (the code's name) with
 * message.
 *
 * <p>Values are texts as Athena's GetQueryResults gives them, null for NULL: what Trino's own value objects show
 * (1.0E10, 2020-01-01 00:00:00.000 UTC, with three digits of a timestamp's fraction at least), varbinary as hexadecimal pairs with blanks between, nested values in the order
 * in which they are stored as [1, null], {k=v} and, for rows, {name=1, field1=2}, a field without a name by its index.
 */
public final class Goldens {
    private static final List<String> NOT_COMPARED = List.of("setup.sql", "differences.sql", "geospatial.sql");

    private static final Pattern SECONDS = Pattern.compile("(\\d\\d:\\d\\d:\\d\\d)(\\.\\d+)?");

    private final LocalQueryRunner trino;
    private final Session session;

    private Goldens() {
        session = TestingSession.testSessionBuilder()
                .setCatalog("awsdatacatalog")
                .setSchema("default")
                .setTimeZoneKey(TimeZoneKey.UTC_KEY)
                .setLocale(Locale.ENGLISH)
                .build();
        trino = LocalQueryRunner.create(session);
        trino.createCatalog("awsdatacatalog", new MemoryConnectorFactory(), Map.of());
    }

    public static void main(String[] arguments) throws IOException {
        Path folder = Path.of(arguments[0]);
        Goldens goldens = new Goldens();
        for (String statement : statements(folder.resolve("setup.sql"))) {
            goldens.trino.execute(goldens.session, statement);
        }
        List<Path> files;
        try (Stream<Path> found = Files.list(folder)) {
            files = found.filter(file -> file.toString().endsWith(".sql"))
                    .filter(file -> !NOT_COMPARED.contains(file.getFileName().toString()))
                    .sorted()
                    .toList();
        }
        for (Path file : files) {
            goldens.record(file);
        }
        // Trino's own threads would keep the process.
        System.exit(0);
    }

    private void record(Path file) throws IOException {
        ObjectMapper json = new ObjectMapper();
        StringBuilder lines = new StringBuilder();
        int count = 0;
        for (String statement : statements(file)) {
            lines.append(json.writeValueAsString(outcome(statement))).append('\n');
            count++;
        }
        String name = file.getFileName().toString().replaceFirst("\\.sql$", ".jsonl");
        Files.writeString(file.resolveSibling(name), lines);
        System.out.println(name + ": " + count);
    }

    private static List<String> statements(Path file) throws IOException {
        List<String> statements = new ArrayList<>();
        StringJoiner statement = new StringJoiner("\n");
        for (String line : Files.readAllLines(file)) {
            if (statement.length() == 0 && (line.isBlank() || line.startsWith("--"))) {
                continue;
            }
            if (line.endsWith(";")) {
                statement.add(line.substring(0, line.length() - 1));
                statements.add(statement.toString());
                statement = new StringJoiner("\n");
            }
            else {
                statement.add(line);
            }
        }
        if (statement.length() > 0) {
            throw new IllegalArgumentException(file + " ends within a statement");
        }
        return statements;
    }

    private Map<String, Object> outcome(String statement) {
        Map<String, Object> outcome = new LinkedHashMap<>();
        outcome.put("sql", statement);
        try {
            outcome.putAll(trino.inTransaction(session, inside -> rows(inside, statement)));
        }
        catch (Throwable failure) {
            ExecutionFailureInfo info = Failures.toFailure(cause(failure));
            outcome.put("error", info.getErrorCode() == null ? "GENERIC_INTERNAL_ERROR" : info.getErrorCode().getName());
            outcome.put("message", info.getMessage());
        }
        return outcome;
    }

    /** The failure that Trino's clients would be told of. */
    private static Throwable cause(Throwable failure) {
        for (Throwable inner = failure; inner != null; inner = inner.getCause()) {
            if (inner instanceof TrinoException || inner instanceof ParsingException) {
                return inner;
            }
        }
        return failure;
    }

    private Map<String, Object> rows(Session inside, String statement) {
        Plan plan = trino.createPlan(inside, statement);
        List<String> names = ((OutputNode) plan.getRoot()).getColumnNames();
        List<List<String>> columns = new ArrayList<>();
        List<List<String>> rows = new ArrayList<>();
        PageConsumerOutputFactory output = new PageConsumerOutputFactory(types -> {
            for (int index = 0; index < types.size(); index++) {
                columns.add(List.of(names.get(index), types.get(index).getDisplayName()));
            }
            return page -> append(rows, types, page, inside);
        });
        TaskContext task = TestingTaskContext.createTaskContext(trino.getExecutor(), trino.getScheduler(), inside);
        List<Driver> drivers = drivers(inside, plan, output, task);
        try {
            while (drivers.stream().anyMatch(driver -> !driver.isFinished())) {
                drivers.stream().filter(driver -> !driver.isFinished()).forEach(driver -> driver.processForNumberOfIterations(1));
            }
        }
        finally {
            drivers.forEach(Driver::close);
        }
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("columns", columns);
        result.put("rows", rows);
        return result;
    }

    /** What makes drivers in public begins a transaction of its own and ends it before they have run. */
    @SuppressWarnings("unchecked")
    private List<Driver> drivers(Session inside, Plan plan, OutputFactory output, TaskContext task) {
        try {
            Method create = LocalQueryRunner.class.getDeclaredMethod(
                    "createDrivers", Session.class, Plan.class, OutputFactory.class, TaskContext.class);
            create.setAccessible(true);
            return (List<Driver>) create.invoke(trino, inside, plan, output, task);
        }
        catch (ReflectiveOperationException failure) {
            throw new IllegalStateException(failure);
        }
    }

    private static void append(List<List<String>> rows, List<Type> types, Page page, Session session) {
        for (int position = 0; position < page.getPositionCount(); position++) {
            List<String> row = new ArrayList<>();
            for (int channel = 0; channel < types.size(); channel++) {
                Block block = page.getBlock(channel);
                row.add(block.isNull(position) ? null : text(types.get(channel), block, position, session));
            }
            rows.add(row);
        }
    }

    private static String text(Type type, Block block, int position, Session session) {
        if (block.isNull(position)) {
            return "null";
        }
        if (type instanceof ArrayType array) {
            Block elements = array.getObject(block, position);
            StringJoiner all = new StringJoiner(", ", "[", "]");
            for (int index = 0; index < elements.getPositionCount(); index++) {
                all.add(text(array.getElementType(), elements, index, session));
            }
            return all.toString();
        }
        if (type instanceof MapType map) {
            SqlMap entries = map.getObject(block, position);
            StringJoiner all = new StringJoiner(", ", "{", "}");
            for (int index = entries.getRawOffset(); index < entries.getRawOffset() + entries.getSize(); index++) {
                String key = text(map.getKeyType(), entries.getRawKeyBlock(), index, session);
                all.add(key + "=" + text(map.getValueType(), entries.getRawValueBlock(), index, session));
            }
            return all.toString();
        }
        if (type instanceof RowType row) {
            SqlRow fields = row.getObject(block, position);
            StringJoiner all = new StringJoiner(", ", "{", "}");
            for (int index = 0; index < row.getFields().size(); index++) {
                RowType.Field field = row.getFields().get(index);
                String name = field.getName().orElse("field" + index);
                all.add(name + "=" + text(field.getType(), fields.getRawFieldBlock(index), fields.getRawIndex(), session));
            }
            return all.toString();
        }
        Object value = type.getObjectValue(session.toConnectorSession(), block, position);
        if (value instanceof SqlVarbinary bytes) {
            StringJoiner pairs = new StringJoiner(" ");
            for (byte one : bytes.getBytes()) {
                pairs.add(String.format("%02x", one));
            }
            return pairs.toString();
        }
        if (value instanceof SqlTimestamp || value instanceof SqlTimestampWithTimeZone) {
            Matcher seconds = SECONDS.matcher(value.toString());
            return seconds.replaceFirst(found -> {
                String fraction = found.group(2) == null ? "." : found.group(2);
                return found.group(1) + fraction + "0".repeat(Math.max(0, 4 - fraction.length()));
            });
        }
        return value.toString();
    }
}
