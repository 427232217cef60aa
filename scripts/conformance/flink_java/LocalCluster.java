// A Flink cluster and its SQL gateway in one process, which ends with the standard input.
//
// The scripts of the distribution start three processes and as many helpers, each with a heap of its own; the jobs of the corpus
// are small, and starting took longer than many of them.

package weir.conformance;

import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.GlobalConfiguration;
import org.apache.flink.runtime.minicluster.MiniCluster;
import org.apache.flink.runtime.minicluster.MiniClusterConfiguration;
import org.apache.flink.table.gateway.SqlGateway;

public final class LocalCluster {
    private LocalCluster() {}

    /** Runs both; the arguments are those of the gateway. FLINK_CONF_DIR says where config.yaml is. */
    public static void main(String[] arguments) {
        try {
            run(arguments);
        } catch (Throwable failure) {
            failure.printStackTrace();
            // Threads of the cluster would keep the process.
            Runtime.getRuntime().halt(1);
        }
    }

    private static void run(String[] arguments) throws Exception {
        Thread watch = new Thread(LocalCluster::endWithStandardInput, "end with the runner");
        watch.setDaemon(true);
        watch.start();
        Configuration settings = GlobalConfiguration.loadConfiguration(System.getenv("FLINK_CONF_DIR"));
        int slots = Integer.parseInt(settings.toMap().get("taskmanager.numberOfTaskSlots"));
        MiniCluster cluster =
                new MiniCluster(
                        new MiniClusterConfiguration.Builder()
                                .setConfiguration(settings)
                                .setNumTaskManagers(1)
                                .setNumSlotsPerTaskManager(slots)
                                .build());
        cluster.start();
        SqlGateway.main(arguments);
    }

    /** The runner holds the other end of a pipe: however it ends, this process follows. */
    private static void endWithStandardInput() {
        try {
            while (System.in.read() >= 0) {
                continue;
            }
        } catch (java.io.IOException broken) {
            // The pipe is gone, and so is the runner.
        }
        Runtime.getRuntime().halt(0);
    }
}
