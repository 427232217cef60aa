// A dimension table for Flink: the rows of a file of JSON lines, looked up by equality of columns.
//
// The distribution has no connector that can be looked up without a server. With this one a dimension join of the corpus runs as
// the join it is (FOR SYSTEM_TIME AS OF) and not as a join of streams. `scripts/setup_flink.sh` compiles it into the installation.

package weir.conformance;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.table.connector.format.DecodingFormat;
import org.apache.flink.table.connector.source.DynamicTableSource;
import org.apache.flink.table.connector.source.LookupTableSource;
import org.apache.flink.table.connector.source.lookup.LookupFunctionProvider;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.factories.DeserializationFormatFactory;
import org.apache.flink.table.factories.DynamicTableSourceFactory;
import org.apache.flink.table.factories.FactoryUtil;
import org.apache.flink.table.functions.FunctionContext;
import org.apache.flink.table.functions.LookupFunction;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.logical.LogicalType;

public final class FileLookup implements DynamicTableSourceFactory {
    private static final ConfigOption<String> PATH = ConfigOptions.key("path").stringType().noDefaultValue();

    @Override
    public String factoryIdentifier() {
        return "weir-lookup";
    }

    @Override
    public Set<ConfigOption<?>> requiredOptions() {
        return Set.of(PATH, FactoryUtil.FORMAT);
    }

    @Override
    public Set<ConfigOption<?>> optionalOptions() {
        return Set.of();
    }

    @Override
    public DynamicTableSource createDynamicTableSource(Context context) {
        FactoryUtil.TableFactoryHelper helper = FactoryUtil.createTableFactoryHelper(this, context);
        DecodingFormat<DeserializationSchema<RowData>> format =
                helper.discoverDecodingFormat(DeserializationFormatFactory.class, FactoryUtil.FORMAT);
        helper.validate();
        return new Source(helper.getOptions().get(PATH), format, context.getPhysicalRowDataType());
    }

    private record Source(String path, DecodingFormat<DeserializationSchema<RowData>> format, DataType type)
            implements LookupTableSource {
        @Override
        public LookupRuntimeProvider getLookupRuntimeProvider(LookupContext context) {
            int[] keys = Arrays.stream(context.getKeys()).mapToInt(key -> key[0]).toArray();
            List<LogicalType> types = type.getLogicalType().getChildren();
            RowData.FieldGetter[] ofTable = new RowData.FieldGetter[keys.length];
            RowData.FieldGetter[] ofKey = new RowData.FieldGetter[keys.length];
            for (int place = 0; place < keys.length; place++) {
                ofTable[place] = RowData.createFieldGetter(types.get(keys[place]), keys[place]);
                ofKey[place] = RowData.createFieldGetter(types.get(keys[place]), place);
            }
            return LookupFunctionProvider.of(new Lookup(path, format.createRuntimeDecoder(context, type), ofTable, ofKey));
        }

        @Override
        public DynamicTableSource copy() {
            return new Source(path, format, type);
        }

        @Override
        public String asSummaryString() {
            return "lookup in " + path;
        }
    }

    /** Reads the whole file when it opens. */
    public static final class Lookup extends LookupFunction {
        private final String path;
        private final DeserializationSchema<RowData> decoder;
        private final RowData.FieldGetter[] ofTable;
        private final RowData.FieldGetter[] ofKey;
        private transient List<RowData> rows;

        Lookup(String path, DeserializationSchema<RowData> decoder, RowData.FieldGetter[] ofTable, RowData.FieldGetter[] ofKey) {
            this.path = path;
            this.decoder = decoder;
            this.ofTable = ofTable;
            this.ofKey = ofKey;
        }

        @Override
        public void open(FunctionContext context) throws Exception {
            decoder.open(null);
            rows = new ArrayList<>();
            for (String line : Files.readAllLines(Path.of(path), StandardCharsets.UTF_8)) {
                rows.add(decoder.deserialize(line.getBytes(StandardCharsets.UTF_8)));
            }
        }

        @Override
        public Collection<RowData> lookup(RowData key) throws IOException {
            List<RowData> found = new ArrayList<>();
            for (RowData row : rows) {
                if (matches(row, key)) {
                    found.add(row);
                }
            }
            return found;
        }

        private boolean matches(RowData row, RowData key) {
            for (int place = 0; place < ofKey.length; place++) {
                Object wanted = ofKey[place].getFieldOrNull(key);
                if (wanted == null || !Objects.equals(wanted, ofTable[place].getFieldOrNull(row))) {
                    return false;
                }
            }
            return true;
        }
    }
}
