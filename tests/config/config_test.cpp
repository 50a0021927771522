// What a configuration file may say, and what each mistake is told.
#include "runtime/config/config.hpp"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

namespace troupe::config {
namespace {

std::string source_file(const std::string& path) {
  std::ifstream file(std::string(TROUPE_SOURCE_DIR) + "/" + path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string error_of(std::string_view text) {
  auto config = parse_config(text, "x.yaml", "/etc/troupe");
  return config ? "no error" : config.error().what;
}

constexpr const char* kSound = R"(
providers:
  east: {dialect: bedrock, region: us-east-1}
  west: {dialect: bedrock, region: us-west-2}
models: {m: {description: a model}}
endpoints:
  list:
    - {id: e1, provider: east, model: m}
    - {id: e2, provider: west, model: m}
features:
  recap: {hierarchy: [m]}
)";

std::string sound_with(const std::string& from, const std::string& to) {
  std::string text = kSound;
  auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(LoadConfig, AcceptsWhatIsSoundAndFillsWhatIsLeftOpen) {
  auto config = parse_config(kSound, "x.yaml");
  ASSERT_TRUE(config) << config.error().what;
  const auto& endpoint = config->endpoints.list.at(1);
  EXPECT_EQ(endpoint.region, "us-west-2");
  EXPECT_EQ(endpoint.remote_model, "m");
  EXPECT_EQ(endpoint.home, "") << "named or not makes a difference to other nodes";
  EXPECT_EQ(endpoint_facts(endpoint).id, "e2");
}

TEST(LoadConfig, TakesAnEmptyFileForTheDefaults) {
  auto config = parse_config("", "x.yaml");
  ASSERT_TRUE(config);
  EXPECT_EQ(to_text(*config), to_text(Config{}));
}

struct Mistake {
  const char* name;
  std::string text;
  std::string expected;
};

class MistakeTest : public ::testing::TestWithParam<Mistake> {};
INSTANTIATE_TEST_SUITE_P(
    LoadConfig, MistakeTest,
    ::testing::Values(
        Mistake{"UnknownTopKey", "node: {}\nfeaturs: {}",
                "x.yaml:2: featurs: unknown key; did you mean \"features\"?"},
        Mistake{"UnknownNestedKey", "http:\n  timeouts:\n    conect: 1s",
                "x.yaml:3: http.timeouts.conect: unknown key; did you mean \"connect\"?"},
        Mistake{"UnknownFarKey", "store:\n  zzzzzzzz: 1",
                "x.yaml:2: store.zzzzzzzz: unknown key; known here: kind, path"},
        Mistake{"DoubleKey", "node:\n  id: a\n  id: b", "x.yaml:3: node.id: is there twice; remove one"},
        Mistake{"DoubleTopKey", "node: {id: a}\nnode: {id: b}", "x.yaml:2: node: is there twice"},
        Mistake{"DoubleName", "models:\n  m: {}\n  m: {}", "x.yaml:3: models.m: is there twice"},
        Mistake{"NotANumber", "simulator:\n  scale: fast",
                "x.yaml:2: simulator.scale: \"fast\" is no number"},
        Mistake{"NegativeNumber", "simulator:\n  scale: -1",
                "x.yaml:2: simulator.scale: must not be negative"},
        Mistake{"NegativeCount", "simulator:\n  seed: -1", "x.yaml:2: simulator.seed: must not be negative"},
        Mistake{"TooLargeCount", "simulator: {in_flight_max: 5000000000}",
                "5000000000 is too large; at most 4294967295"},
        Mistake{"NotABool", "store: {power_safe: yes}", "store.power_safe: expected true or false"},
        Mistake{"NotADuration", "http: {timeouts: {idle: 30}}",
                "\"30\" is no length of time; write e.g. 250ms"},
        Mistake{"NotAWord", "providers: {p: {base_url: simulator, auth: {kind: bearr}}}",
                "providers.p.auth.kind: \"bearr\" is none of none, bearer, aws_env, aws_static, simulated, "
                "api_key, aws, google, azure; "
                "did you mean"},
        Mistake{"NoValue", "node:\n  id:\n  region: x", "x.yaml:2: node.id: has no value; expected text"},
        Mistake{"ListForText", "node: {id: [a]}", "node.id: is not a single value; expected text"},
        Mistake{"TextForList", "cluster: {peers: a}", "cluster.peers: expected a list"},
        Mistake{"TextForMapping", "node: a", "node: expected options"},
        Mistake{"ListForNames", "models: [a]", "models: expected names"},
        Mistake{"ListAtTheTop", "- a", "x.yaml:1: expected \"key: value\" options"},
        Mistake{"NotYaml", "node:\n  id: [a\nb: }", "not YAML"},
        Mistake{"LiteralSecret", "cluster:\n  secret_key: hunter2",
                "x.yaml:2: cluster.secret_key: a literal secret is refused"},
        Mistake{
            "UnknownProvider", sound_with("provider: west", "provider: wets"),
            "x.yaml:9: endpoints.list[1].provider: there is no provider \"wets\"; did you mean \"west\"?"},
        Mistake{"UnknownModel", sound_with("[m]", "[n]"),
                "x.yaml:11: features.recap.hierarchy[0]: there is no model \"n\""},
        Mistake{"ModelWithoutEndpoint",
                sound_with("{m: {description: a model}}", "{m: {}, n: {}}") + "  other: {hierarchy: [n]}",
                "x.yaml:12: features.other.hierarchy[0]: no endpoint serves model \"n\""},
        Mistake{"DoubleEndpoint", sound_with("id: e2", "id: e1"),
                "x.yaml:9: endpoints.list[1].id: endpoint id \"e1\" is there twice"},
        Mistake{"NoBackup", sound_with("provider: west", "provider: east"),  // C10
                "x.yaml:11: features.recap.hierarchy: every endpoint is in one failure domain (provider "
                "east, region us-east-1)"},
        Mistake{"NoBackupInTheBoundary", sound_with("[m]", "[m], boundary: eu"),
                "no endpoint serves any of these models within"},
        Mistake{"EmptyHierarchy", sound_with("[m]", "[]"),
                "features.recap.hierarchy: a feature needs at least one model"},
        Mistake{"NoBaseUrl", "providers: {p: {dialect: azure_openai}}",
                "providers.p.base_url: must be https://"},
        Mistake{"UnknownDialect", "providers: {p: {dialect: opnai, base_url: simulator}}",
                "did you mean \"openai\"?"},
        Mistake{"BearerWithoutKey", "providers: {p: {base_url: simulator, auth: {kind: bearer}}}",
                "kind bearer needs api_key"},
        Mistake{"SignedOpenai", "providers: {p: {base_url: simulator, auth: {kind: aws_env}}}",
                "only the bedrock and sagemaker dialects are signed"},
        Mistake{"SignedElsewhere",
                "providers: {p: {dialect: anthropic, base_url: \"https://x.example\", auth: {kind: aws}}}",
                "providers.p.auth.kind: only the bedrock and sagemaker dialects are signed"},
        Mistake{"GoogleTokenForOpenai", "providers: {p: {base_url: simulator, auth: {kind: google}}}",
                "providers.p.auth.kind: google tokens are for the vertex dialects"},
        Mistake{"AzureTokenForOpenai", "providers: {p: {base_url: simulator, auth: {kind: azure}}}",
                "providers.p.auth.kind: azure tokens are for the azure_openai dialect"},
        Mistake{"ApiKeyWithoutKey", "providers: {p: {base_url: simulator, auth: {kind: api_key}}}",
                "providers.p.auth: kind api_key needs api_key"},
        Mistake{"OptionOfAnotherKind",
                "providers: {p: {base_url: simulator, dialect: bedrock, auth: {kind: aws, tenant_id: t}}}",
                "providers.p.auth.tenant_id: belongs to kind azure"},
        Mistake{"RoleThatIsNone",
                "providers: {p: {base_url: simulator, dialect: bedrock, "
                "auth: {kind: aws, role_arn: admin}}}",
                "providers.p.auth.role_arn: must be arn:aws:iam::ACCOUNT:role/NAME"},
        Mistake{"ExternalIdWithoutRole",
                "providers: {p: {base_url: simulator, dialect: bedrock, "
                "auth: {kind: aws, external_id: e}}}",
                "providers.p.auth.external_id: belongs to a role_arn"},
        Mistake{"BadIssuerUrl",
                "providers: {p: {base_url: simulator, dialect: bedrock, "
                "auth: {kind: aws, sts_url: \"sts.x\"}}}",
                "providers.p.auth.sts_url: must be http[s]://HOST[:PORT][/PATH]"},
        Mistake{
            "TwoProofs",
            "providers: {p: {base_url: simulator, dialect: azure_openai, auth: {kind: azure, client_secret: "
            "\"${S}\", token_file: f}}}",
            "providers.p.auth.token_file: give either client_secret or token_file"},
        Mistake{
            "LiteralClientSecret",
            "providers: {p: {base_url: simulator, dialect: azure_openai, auth: {kind: azure, client_secret: "
            "hunter2}}}",
            "providers.p.auth.client_secret: a literal secret is refused"},
        Mistake{"NoSimulatedEndpoint",
                sound_with("dialect: bedrock, region: us-east-1", "base_url: simulator"),
                "endpoints.list[0].id: there is no simulated endpoint \"e1\"; there are none"},
        Mistake{"UnknownHome", sound_with("id: e1,", "id: e1, home: mars,"),
                "endpoints.list[0].home: there is no node \"mars\""},
        Mistake{"BadLimits", sound_with("id: e1,", "id: e1, limits: {burst_minutes: 0},"),
                "endpoints.list[0].limits: burst_minutes"},
        Mistake{"BadCapacity", sound_with("id: e1,", "id: e1, capacity: {spill: {return_factor: 0}},"),
                "endpoints.list[0].capacity: spill: return_factor is 0"},
        Mistake{"BadBreaker", sound_with("id: e1,", "id: e1, breaker: {ramp: [0.5, 0.2]},"),
                "x.yaml:8: endpoints.list[0].breaker:"},
        Mistake{"ClusterWithoutKey", "cluster: {listen: \"tcp://127.0.0.1:1\"}",
                "cluster: a node with a listen address or peers needs secret_key"},
        Mistake{
            "BadPeer",
            "cluster:\n  secret_key: file:k\n  peers:\n    - {id: b, address: localhost, public_key: short}",
            "x.yaml:4: cluster.peers[0].address: must be tcp://HOST:PORT"},
        Mistake{"PeerNamedAsUs", "cluster: {secret_key: file:k, peers: [{id: local, public_key: x}]}",
                "node id \"local\" is there twice"},
        Mistake{"UnknownStore", "store: {kind: oracle}",
                "store.kind: \"oracle\" is none of sqlite, postgres"},
        Mistake{"UnknownLogLevel", "telemetry: {log_level: loud}",
                "telemetry.log_level: \"loud\" is none of"},
        Mistake{"ExperimentOption", "experiments:\n  e:\n    arm: a",
                "x.yaml:3: experiments.e.arm: unknown key; did you mean \"arms\"?"},
        Mistake{"ExperimentEntry", "experiments:\n  e: {}",
                "experiments: e has 0 arms; it must have 2 to 16"},
        Mistake{"FaultShare", "simulator: {endpoints: [{name: a, faults: [{kind: cut, share: 2}]}]}",
                "is a share, from 0 to 1"},
        Mistake{"FaultWindow", "simulator: {endpoints: [{name: a, faults: [{kind: cut, from: 5s, to: 2s}]}]}",
                "must be after `from`"},
        Mistake{"FaultKind", "simulator: {endpoints: [{name: a, faults: [{kind: sad}]}]}",
                "faults[0].kind: \"sad\" is none of down"},
        Mistake{"TokenLifetime", "simulator: {issuers: {token_lifetime: 10ms}}",
                "simulator.issuers.token_lifetime: must be 1s or more"},
        Mistake{"IssuedMax", "simulator: {issuers: {issued_max: 0}}", "must be above 0"},
        Mistake{"SimulatedTwice", "simulator: {endpoints: [{name: a}, {name: a}]}",
                "simulated endpoint \"a\" is there twice"}),
    [](const auto& param) { return param.param.name; });

TEST_P(MistakeTest, IsToldWithItsPlaceAndARemedy) {
  auto error = error_of(GetParam().text);
  EXPECT_NE(error.find(GetParam().expected), std::string::npos) << error;
  EXPECT_NE(error.find("x.yaml:"), std::string::npos) << error;
  EXPECT_EQ(error.find("hunter2"), std::string::npos) << "a secret was quoted";
}

TEST(LoadConfig, TellsAllMistakesAtOnceInTheOrderOfLines) {
  auto error = error_of("node:\n  idd: a\nstore:\n  kindd: b\nhttp: {timeouts: {idle: x}}");
  EXPECT_LT(error.find("x.yaml:2:"), error.find("x.yaml:4:"));
  EXPECT_LT(error.find("x.yaml:4:"), error.find("x.yaml:5:"));
  std::string many = "node:\n";
  for (int i = 0; i < 50; ++i) many += fmt::format("  key{}: 1\n", i);
  EXPECT_NE(error_of(many).find("and 30 more"), std::string::npos);
}

TEST(LoadConfig, RefusesHostileTextWithoutCrashing) {
  EXPECT_NE(error_of(std::string((4u << 20) + 1, ' ')).find("larger than"), std::string::npos);
  EXPECT_NE(error_of(std::string(100'000, '[')), "no error");
  EXPECT_NE(error_of(std::string("\0\xff\xfe{", 4)), "no error");
  EXPECT_NE(error_of("a: *nothing"), "no error");
  EXPECT_NE(error_of("? {a: b}\n: c"), "no error");
  // Every prefix of a sound file is read or refused.
  std::string_view sound = kSound;
  for (std::size_t i = 0; i <= sound.size(); ++i) (void)parse_config(sound.substr(0, i), "x.yaml");
}

TEST(LoadConfig, SaysWhenTheFileIsMissing) {
  auto missing = load_config("/nonexistent/x.yaml");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Errc::input_missing);
  EXPECT_FALSE(load_config("/"));
}

TEST(LoadConfig, StartsEndpointsFromTheDefaults) {
  auto text =
      sound_with("  list:", "  defaults: {limits: {in_flight_max: 9}, breaker: {samples_min: 3}}\n  list:");
  auto at = text.find("id: e2,");
  text.insert(at, "breaker: {cool_down: 1s}, ");
  auto config = parse_config(text, "x.yaml");
  ASSERT_TRUE(config) << config.error().what;
  EXPECT_EQ(config->endpoints.list[0].limits.in_flight_max, 9u);
  EXPECT_EQ(config->endpoints.list[1].breaker.samples_min, 3u);
  EXPECT_EQ(config->endpoints.list[1].breaker.cool_down, std::chrono::seconds(1));
}

TEST(LoadConfig, TakesPricesFromTheTableUnlessTheEndpointSaysOtherwise) {
  auto text =
      sound_with("id: e1,", "id: e1, price: {input: 7},") + "prices: {models: {m: {input: 2, output: 3}}}\n";
  auto config = parse_config(text, "x.yaml");
  ASSERT_TRUE(config) << config.error().what;
  EXPECT_EQ(config->endpoints.list[0].price.input, 7);
  EXPECT_EQ(config->endpoints.list[1].price.output, 3);
}

TEST(Secrets, AreReferencesUntilTheyAreRead) {
  auto config = parse_config("cluster: {secret_key: file:a.key}", "x.yaml", "/etc/troupe");
  ASSERT_TRUE(config);
  EXPECT_EQ(config->cluster.secret_key.reference, "file:/etc/troupe/a.key");
  EXPECT_FALSE(read_secret(config->cluster.secret_key));
  ::setenv("TROUPE_CONFIG_TEST_SECRET", "s3cret", 1);
  EXPECT_EQ(read_secret({"${TROUPE_CONFIG_TEST_SECRET}"}).value_or(""), "s3cret");
  ::unsetenv("TROUPE_CONFIG_TEST_SECRET");
  EXPECT_FALSE(read_secret({"${TROUPE_CONFIG_TEST_SECRET}"}));
  EXPECT_EQ(read_secret({}).value_or("x"), "");
  EXPECT_FALSE(read_secret({"literal"}));
}

TEST(Secrets, LoseOneNewlineAndHaveASizeLimit) {
  auto path = std::filesystem::temp_directory_path() / fmt::format("troupe-secret-{}", ::getpid());
  auto write = [&](const std::string& text) { std::ofstream(path, std::ios::binary) << text; };
  SecretRef secret{"file:" + path.string()};
  write("abc\n");
  EXPECT_EQ(read_secret(secret).value_or(""), "abc");
  write(std::string(64 * 1024, 'x'));
  EXPECT_TRUE(read_secret(secret));
  write(std::string(64 * 1024 + 1, 'x'));
  EXPECT_FALSE(read_secret(secret));
  write("");
  EXPECT_FALSE(read_secret(secret));
  std::filesystem::remove(path);
}

/// The defaults with the example entries that reference.yaml needs to show every key.
Config reference_defaults() {
  Config config;
  config.providers["example"].base_url = "simulator";
  config.providers["elsewhere"].base_url = "simulator";
  config.providers["example"].sign_offs = {{"legal", {"example-data"}, ""}};
  config.endpoints.data_classes["example-data"].provider = {"legal"};
  config.experiments["example"].arms = {{"new", "", 0.5}, {"old", "", 0.5}};
  config.rollouts["example"].feature = "example";
  config.rollouts["example"].model = "example-model";
  config.prices.models["example-model"];
  config.models["example-model"];
  config.tenants["example"];
  config.tools.mcp["example"].command = {"example-server"};
  config.tools.sql["example"].path = "/example.db";
  config.tools.corpora["example"].path = "/example";
  config.tools.allow["research"] = {"*"};
  config.schedules["example"].workflow = "recap";
  config.schedules["example"].cron = "0 4 * * *";
  config.features["example"].hierarchy = {"example-model"};
  config.features["example"].quality = {{"example-model", 0, "2100-01-01"}};
  config.features["example"].diverts = {{.model = "example-model"}};
  EndpointConfig endpoint;
  endpoint.id = "example";
  endpoint.provider = "example";
  endpoint.model = endpoint.remote_model = "example-model";
  config.endpoints.list.push_back(endpoint);
  endpoint.id = "backup";
  endpoint.provider = "elsewhere";
  config.endpoints.list.push_back(endpoint);
  config.simulator.endpoints.resize(2);
  config.simulator.endpoints[0].name = "example";
  config.simulator.endpoints[0].faults.resize(1);
  config.simulator.endpoints[1].name = "backup";
  config.simulator.faults.resize(1);
  config.simulator.issuers.roles.resize(1);
  config.simulator.issuers.signers.resize(1);
  return config;
}

TEST(ReferenceConfig, ShowsEveryOptionAtItsDefault) {
  auto config = load_config(std::string(TROUPE_SOURCE_DIR) + "/configs/reference.yaml");
  ASSERT_TRUE(config) << config.error().what;
  EXPECT_EQ(to_text(*config), to_text(reference_defaults()));
}

TEST(ReferenceConfig, MentionsEveryKey) {
  auto text = source_file("configs/reference.yaml");
  for (const auto& path : known_keys()) {
    auto last = path.substr(path.rfind('.') + 1);
    if (last.ends_with("[]")) last.resize(last.size() - 2);
    EXPECT_TRUE(std::regex_search(text, std::regex("(^|[\\s{,-])" + last + ":"))) << path;
  }
  EXPECT_GT(known_keys().size(), 100u);
}

TEST(DemoConfig, IsTheFileThatWasBuiltIn) {
  EXPECT_EQ(std::string(demo_config_text()), source_file("configs/demo.yaml"));
  auto config = parse_config(demo_config_text(), "demo.yaml");
  ASSERT_TRUE(config) << config.error().what;
  EXPECT_EQ(to_text(demo_config()), to_text(*config));
}

TEST(DemoConfig, LimitsAreWhatTheSimulatedCloudsEnforce) {
  auto config = demo_config();
  ASSERT_EQ(config.endpoints.list.size(), config.simulator.endpoints.size());
  for (std::size_t i = 0; i < config.endpoints.list.size(); ++i) {
    const auto& ours = config.endpoints.list[i];
    const auto& theirs = config.simulator.endpoints[i];
    EXPECT_EQ(ours.id, theirs.name);
    EXPECT_EQ(ours.limits.input_tokens_per_minute, theirs.limits.input_tokens_per_minute) << ours.id;
    EXPECT_EQ(ours.price.input, theirs.price.input) << ours.id;
    EXPECT_EQ(config.providers.at(ours.provider).dialect, theirs.dialect) << ours.id;
  }
}

TEST(ExampleConfigs, Load) {
  for (const char* path : {"configs/two-nodes/a.yaml", "configs/two-nodes/b.yaml",
                           "configs/two-nodes/simulator.yaml", "examples/research/models.yaml"}) {
    auto config = load_config(std::string(TROUPE_SOURCE_DIR) + "/" + path);
    EXPECT_TRUE(config) << config.error().what;
  }
}

}  // namespace
}  // namespace troupe::config
