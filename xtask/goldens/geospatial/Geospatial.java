import com.fasterxml.jackson.databind.ObjectMapper;
import io.prestosql.Session;
import io.prestosql.execution.ExecutionFailureInfo;
import io.prestosql.execution.warnings.WarningCollector;
import io.prestosql.plugin.geospatial.GeoPlugin;
import io.prestosql.spi.PrestoException;
import io.prestosql.spi.type.ArrayType;
import io.prestosql.spi.type.MapType;
import io.prestosql.spi.type.RowType;
import io.prestosql.spi.type.SqlVarbinary;
import io.prestosql.spi.type.TimeZoneKey;
import io.prestosql.spi.type.Type;
import io.prestosql.sql.parser.ParsingException;
import io.prestosql.sql.planner.plan.OutputNode;
import io.prestosql.testing.LocalQueryRunner;
import io.prestosql.testing.MaterializedResult;
import io.prestosql.testing.MaterializedRow;
import io.prestosql.testing.TestingSession;
import io.prestosql.util.Failures;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.StringJoiner;

/**
 * Runs the statements of a folder's geospatial.sql and writes what came out beside it, in the form that Goldens.java
 * describes. They need no tables.
 *
 * <p>The plugin with these functions has been in Maven's repository only as long as Trino was called PrestoSQL. They have
 * hardly changed since; what has is not among the statements, nor is what it fails at.
 */
public final class Geospatial {
    private final Session session = TestingSession.testSessionBuilder()
            .setTimeZoneKey(TimeZoneKey.UTC_KEY)
            .setLocale(Locale.ENGLISH)
            .build();
    private final LocalQueryRunner presto = LocalQueryRunner.create(session);

    public static void main(String[] arguments) throws IOException {
        Geospatial goldens = new Geospatial();
        goldens.presto.installPlugin(new GeoPlugin());
        Path file = Path.of(arguments[0]).resolve("geospatial.sql");
        ObjectMapper json = new ObjectMapper();
        StringBuilder lines = new StringBuilder();
        int count = 0;
        for (String line : Files.readAllLines(file)) {
            if (!line.endsWith(";") || line.startsWith("--")) {
                continue;
            }
            String statement = line.substring(0, line.length() - 1);
            lines.append(json.writeValueAsString(goldens.outcome(statement))).append('\n');
            count++;
        }
        Files.writeString(file.resolveSibling("geospatial.jsonl"), lines);
        System.out.println("geospatial.jsonl: " + count);
        // Presto's own threads would keep the process.
        System.exit(0);
    }

    private Map<String, Object> outcome(String statement) {
        Map<String, Object> outcome = new LinkedHashMap<>();
        outcome.put("sql", statement);
        try {
            List<String> names = presto.inTransaction(session, inside -> names(inside, statement));
            outcome.putAll(rows(names, presto.execute(session, statement)));
        }
        catch (Throwable failure) {
            ExecutionFailureInfo info = Failures.toFailure(cause(failure));
            outcome.put("error", info.getErrorCode() == null ? "GENERIC_INTERNAL_ERROR" : info.getErrorCode().getName());
            outcome.put("message", info.getMessage());
        }
        return outcome;
    }

    private List<String> names(Session inside, String statement) {
        return ((OutputNode) presto.createPlan(inside, statement, WarningCollector.NOOP).getRoot()).getColumnNames();
    }

    /** The failure that Presto's clients would be told of. */
    private static Throwable cause(Throwable failure) {
        for (Throwable inner = failure; inner != null; inner = inner.getCause()) {
            if (inner instanceof PrestoException || inner instanceof ParsingException) {
                return inner;
            }
        }
        return failure;
    }

    private static Map<String, Object> rows(List<String> names, MaterializedResult result) {
        List<List<String>> columns = new ArrayList<>();
        for (int index = 0; index < names.size(); index++) {
            columns.add(List.of(names.get(index), result.getTypes().get(index).getDisplayName()));
        }
        List<List<String>> rows = new ArrayList<>();
        for (MaterializedRow found : result) {
            List<String> row = new ArrayList<>();
            for (int index = 0; index < names.size(); index++) {
                Object value = found.getField(index);
                row.add(value == null ? null : text(result.getTypes().get(index), value));
            }
            rows.add(row);
        }
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("columns", columns);
        all.put("rows", rows);
        return all;
    }

    private static String text(Type type, Object value) {
        if (value == null) {
            return "null";
        }
        if (type instanceof ArrayType) {
            StringJoiner all = new StringJoiner(", ", "[", "]");
            ((List<?>) value).forEach(element -> all.add(text(((ArrayType) type).getElementType(), element)));
            return all.toString();
        }
        if (type instanceof MapType) {
            MapType map = (MapType) type;
            StringJoiner all = new StringJoiner(", ", "{", "}");
            ((Map<?, ?>) value).forEach((key, of) -> all.add(text(map.getKeyType(), key) + "=" + text(map.getValueType(), of)));
            return all.toString();
        }
        if (type instanceof RowType) {
            List<RowType.Field> fields = ((RowType) type).getFields();
            List<?> values = value instanceof MaterializedRow ? ((MaterializedRow) value).getFields() : (List<?>) value;
            StringJoiner all = new StringJoiner(", ", "{", "}");
            for (int index = 0; index < fields.size(); index++) {
                String name = fields.get(index).getName().orElse("field" + index);
                all.add(name + "=" + text(fields.get(index).getType(), values.get(index)));
            }
            return all.toString();
        }
        if (value instanceof SqlVarbinary) {
            StringJoiner pairs = new StringJoiner(" ");
            for (byte one : ((SqlVarbinary) value).getBytes()) {
                pairs.add(String.format("%02x", one));
            }
            return pairs.toString();
        }
        return value.toString();
    }
}
