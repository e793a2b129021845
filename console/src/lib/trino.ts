/** Trino's SQL for the editor. */
import { SQLDialect } from '@codemirror/lang-sql';

const KEYWORDS =
  'add all alter analyze and any array as asc at between bucketed by case cast catalog cluster column columns comment ' +
  'constraint create cross cube current current_date current_time current_timestamp database databases deallocate delete ' +
  'desc describe distinct drop else end escape except execute exists explain external extract false fetch filter first ' +
  'following for format formatted from full function functions grant group grouping groups having if ignore in inner ' +
  'insert intersect interval into is join json last lateral left like limit location logical match_recognize matched ' +
  'materialized measures merge msck natural next normalize not null nulls of offset on only optimize or order ordinality ' +
  'outer over partition partitioned partitions pattern preceding prepare properties range recursive rename repair replace ' +
  'respect revoke right rollup row rows schema select sets show skip some stored subset system table tables tablesample ' +
  'tblproperties then ties timestamp to true try try_cast unbounded union unload unnest update use using vacuum values ' +
  'verbose view views when where window with within without';

const TYPES =
  'bigint binary boolean char date decimal double float int integer interval ipaddress json map real row smallint ' +
  'string struct time timestamp tinyint uuid varbinary varchar zone';

const FUNCTIONS =
  'abs approx_distinct approx_percentile arbitrary array_agg array_join array_sort arrays_overlap avg bool_and bool_or ' +
  'cardinality ceil ceiling coalesce concat contains corr count count_if covar_pop cume_dist date_add date_diff ' +
  'date_format date_parse date_trunc day day_of_week dense_rank element_at every filter first_value flatten floor format ' +
  'from_iso8601_date from_iso8601_timestamp from_unixtime greatest histogram hour json_extract json_extract_scalar ' +
  'json_format json_parse lag last_value lead least length listagg lower lpad ltrim map_agg map_keys map_values max ' +
  'max_by min min_by minute mod month now nth_value ntile nullif parse_datetime percent_rank position power quarter ' +
  'rank reduce regexp_extract regexp_like regexp_replace replace reverse round row_number rpad rtrim second sequence ' +
  'slice split split_part sqrt stddev strpos substr substring sum to_iso8601 to_unixtime transform trim truncate ' +
  'typeof unnest upper url_extract_host variance week year zip';

export const TRINO = SQLDialect.define({
  keywords: KEYWORDS,
  types: TYPES,
  builtin: FUNCTIONS,
  doubleQuotedStrings: false,
  identifierQuotes: '"`',
  operatorChars: '+-*/<>=!|%',
});
