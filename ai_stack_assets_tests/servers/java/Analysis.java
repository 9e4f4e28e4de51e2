package servers;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.core.LowerCaseFilter;
import org.apache.lucene.analysis.ru.RussianAnalyzer;
import org.apache.lucene.analysis.snowball.SnowballFilter;
import org.elasticsearch.Build;
import org.elasticsearch.client.internal.node.NodeClient;
import org.elasticsearch.cluster.node.DiscoveryNodes;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.features.NodeFeature;
import org.elasticsearch.index.analysis.AbstractIndexAnalyzerProvider;
import org.elasticsearch.index.analysis.AbstractTokenFilterFactory;
import org.elasticsearch.index.analysis.AnalyzerProvider;
import org.elasticsearch.index.analysis.NormalizingTokenFilterFactory;
import org.elasticsearch.index.analysis.TokenFilterFactory;
import org.elasticsearch.indices.analysis.AnalysisModule.AnalysisProvider;
import org.elasticsearch.plugins.ActionPlugin;
import org.elasticsearch.plugins.AnalysisPlugin;
import org.elasticsearch.plugins.Plugin;
import org.elasticsearch.rest.BaseRestHandler;
import org.elasticsearch.rest.RestHandler;
import org.elasticsearch.rest.RestRequest;
import org.elasticsearch.rest.RestResponse;
import org.elasticsearch.rest.RestStatus;

/** Stands in for the modules analysis-common (Lucene's classes under the usual names) and rest-root (`GET /`). */
public class Analysis extends Plugin implements AnalysisPlugin, ActionPlugin {
    static final class Russian extends AbstractIndexAnalyzerProvider<RussianAnalyzer> {
        private final RussianAnalyzer analyzer = new RussianAnalyzer();

        Russian(String name) {
            super(name);
        }

        public RussianAnalyzer get() {
            return analyzer;
        }
    }

    static final class Lower extends AbstractTokenFilterFactory implements NormalizingTokenFilterFactory {
        Lower(String name) {
            super(name);
        }

        public TokenStream create(TokenStream tokens) {
            return new LowerCaseFilter(tokens);
        }
    }

    static final class Stem extends AbstractTokenFilterFactory {
        private final String language;

        Stem(String name, String language) {
            super(name);
            this.language = Character.toUpperCase(language.charAt(0)) + language.substring(1);
        }

        public TokenStream create(TokenStream tokens) {
            return new SnowballFilter(tokens, language);
        }
    }

    static final class Root extends BaseRestHandler {
        public String getName() {
            return "root";
        }

        public List<Route> routes() {
            return List.of(new Route(RestRequest.Method.GET, "/"), new Route(RestRequest.Method.HEAD, "/"));
        }

        protected RestChannelConsumer prepareRequest(RestRequest request, NodeClient client) {
            return channel -> {
                var body = channel.newBuilder();
                body.startObject().field("name", "node").field("cluster_name", "tests").field("cluster_uuid", "tests");
                body.startObject("version").field("number", Build.current().version());
                body.field("build_flavor", Build.current().flavor()).endObject();
                body.field("tagline", "You Know, for Search").endObject();
                channel.sendResponse(new RestResponse(RestStatus.OK, body));
            };
        }
    }

    public List<RestHandler> getRestHandlers(
        ActionPlugin.RestHandlersServices services, Supplier<DiscoveryNodes> nodes, Predicate<NodeFeature> features) {
        return List.of(new Root());
    }

    public Map<String, AnalysisProvider<AnalyzerProvider<? extends Analyzer>>> getAnalyzers() {
        return Map.of("russian", (index, environment, name, settings) -> new Russian(name));
    }

    public Map<String, AnalysisProvider<TokenFilterFactory>> getTokenFilters() {
        Map<String, AnalysisProvider<TokenFilterFactory>> filters = new HashMap<>();
        filters.put("lowercase", (index, environment, name, settings) -> new Lower(name));
        filters.put("stemmer", (index, environment, name, settings) -> new Stem(name, language(settings)));
        filters.put("snowball", (index, environment, name, settings) -> new Stem(name, language(settings)));
        return filters;
    }

    private static String language(Settings settings) {
        return settings.get("language", settings.get("name", "english"));
    }
}
