// The configuration as typed values: what every option is called, its default, and how a file becomes one.
// Reload, sharing and meaning are the reader's; this is data. docs of each key: configs/reference.yaml.
#pragma once

#include "runtime/config/choice_config.hpp"
#include "runtime/config/lead_config.hpp"
#include "runtime/config/money_config.hpp"
#include "runtime/config/schedule_config.hpp"
#include "runtime/config/simulator_config.hpp"
#include "runtime/config/tools_config.hpp"
#include "runtime/policy/breaker.hpp"
#include "runtime/policy/dispatcher.hpp"
#include "runtime/policy/endpoint_guard.hpp"
#include "runtime/policy/fair_queue.hpp"
#include "runtime/policy/quota.hpp"
#include "runtime/policy/retry_budget.hpp"
#include "runtime/policy/splice.hpp"

#include <troupe/durability.hpp>
#include <troupe/error.hpp>
#include <troupe/time.hpp>

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::config {

/// Shares of an hour's tokens above which a warning is logged; 1: never (C9).
struct ConcentrationConfig {
  double provider_share_max = 1;
  double region_share_max = 1;
};

struct NodeConfig {
  std::string id = "local";
  std::string region = "local";
  /// Everything the node keeps: the database when store.path is relative, blobs.
  std::string state_dir = ".troupe";
  /// What all features of this node may use together; 0: unlimited.
  double tokens_per_minute = 0;
  ConcentrationConfig concentration;
  /// A run that has only waited for so long leaves memory until it is woken; 0: never.
  Duration park_after = std::chrono::seconds(30);
  /// Runs that were done or cancelled longer ago are forgotten (Journal::forget); 0: never.
  Duration retention{};
};

struct StoreConfig {
  /// "sqlite" (one file, one process) or "postgres" (shared by nodes).
  std::string kind = "sqlite";
  /// SQLite: relative to node.state_dir.
  std::string path = "troupe.db";
  /// PostgreSQL: a libpq connection string or URL, without a password in it: that comes from PGPASSFILE or
  /// PGPASSWORD.
  std::string url;
  /// PostgreSQL: where our tables live; made when missing.
  std::string schema = "troupe";
  /// Off: survives kill -9 but not power loss.
  bool power_safe = true;
  /// By workflow: of runs that were not asked for with another.
  std::map<std::string, Durability> durability;
};

struct PeerEntry {
  std::string id;
  /// "tcp://HOST:PORT"; empty: it connects to us.
  std::string address;
  /// Z85, 40 characters.
  std::string public_key;
};

/// Somebody who asks for himself: what his runs read is decided by his rights (MECHANISMS J4).
struct ClientEntry {
  /// Z85, 40 characters.
  std::string public_key;
  /// Who that is in the corpora's access lists.
  std::string principal;
};

struct ClusterConfig {
  /// "tcp://HOST:PORT"; empty: this node listens to no other.
  std::string listen;
  /// This node's CURVE secret key, as `troupe keygen` writes it.
  SecretRef secret_key;
  std::vector<PeerEntry> peers;
  /// Public keys that may ask without being peers (submit, runs, endpoints). They say for whom.
  std::vector<std::string> client_keys;
  /// Those that may submit runs for themselves alone, and look at these.
  std::vector<ClientEntry> clients;
};

struct TimeoutsConfig {
  Duration connect = std::chrono::seconds(5);
  Duration header = std::chrono::seconds(30);
  Duration first_byte = std::chrono::seconds(60);
  Duration idle = std::chrono::seconds(30);
  Duration total = std::chrono::minutes(10);
};
struct PoolConfig {
  std::uint32_t idle_per_origin_max = 64;
  std::uint32_t open_per_origin_max = 1024;
  Duration idle_age_max = std::chrono::seconds(55);
};
/// Same meaning and defaults as http::Timeouts and http::ClientConfig.
struct HttpConfig {
  TimeoutsConfig timeouts;
  PoolConfig pool;
};

enum class AuthKind {
  none,
  bearer,      ///< Authorization: Bearer api_key
  aws_env,     ///< SigV4 with AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN
  aws_static,  ///< SigV4 with the references below
  simulated,   ///< simulated_credentials(), in the way of the provider's dialect
  api_key,     ///< api_key in the dialect's own header; empty on Bedrock: AWS_BEARER_TOKEN_BEDROCK
  aws,         ///< SigV4 with what AWS's chain finds, kept fresh
  google,      ///< a Google access token, kept fresh
  azure,       ///< a Microsoft Entra access token, kept fresh
};
const char* to_string(AuthKind kind);

/// docs/CREDENTIALS.md says what each kind takes and when it is refreshed.
struct AuthConfig {
  AuthKind kind = AuthKind::none;
  SecretRef api_key;
  SecretRef access_key_id, secret_access_key, session_token;
  /// aws: a profile of the shared files, and a role to assume with what was found.
  std::string profile, role_arn, external_id;
  /// google: the JSON file; empty: GOOGLE_APPLICATION_CREDENTIALS, else the metadata server.
  std::string credentials_file;
  /// azure: the application, with client_secret or with the token another issuer keeps in token_file. Empty
  /// ones: AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_FEDERATED_TOKEN_FILE.
  std::string tenant_id, client_id;
  SecretRef client_secret;
  std::string token_file;
  std::string scope = "https://cognitiveservices.azure.com/.default";
  /// Issuers elsewhere (private endpoints, tests), as http[s]://HOST[:PORT][/PATH]; empty: the vendor's own.
  std::string sts_url, imds_url, metadata_url, token_url;
};

struct ProviderConfig {
  /// One of provider_dialects().
  std::string dialect = "openai";
  /// "https://HOST[:PORT][/PREFIX]". Empty and bedrock: https://bedrock-runtime.REGION.amazonaws.com.
  /// "simulator": the simulator of this process; requests go to http://its address/ENDPOINT-ID.
  std::string base_url;
  /// Failure domain and SigV4 scope of its endpoints, unless they say otherwise.
  std::string region;
  AuthConfig auth;
  /// PEM file of additional certificate authorities; empty: the system's.
  std::string ca_file;
  /// Vertex: the Google Cloud project of its endpoints. Their `region` is the location.
  std::string project;
  /// Anthropic: the anthropic-version; Azure: the api-version, empty for its v1 surface.
  std::string api_version;
  /// "http://[USER:PASSWORD@]HOST:PORT" in front of it; empty: HTTPS_PROXY and NO_PROXY decide.
  SecretRef proxy;
  /// Connections opened before traffic and kept open, per endpoint.
  std::uint32_t warm_connections = 0;
  std::vector<SignOffConfig> sign_offs;
};
/// The wires we speak, as the `dialect` of a provider and of a simulated endpoint.
std::vector<std::string> provider_dialects();

/// How an endpoint keeps within its limits and the provider's.
struct CapacityConfig {
  policy::EstimatePolicy estimate;
  policy::SpillPolicy spill;
  policy::PacingPolicy pacing;
  policy::ConcurrencyPolicy concurrency;
};

struct EndpointConfig {
  std::string id;
  /// A key of `providers`.
  std::string provider;
  /// Our name for the model, a key of `models`; features list these.
  std::string model;
  /// What the provider calls it (id, inference profile, provisioned ARN). Empty: as `model`.
  std::string remote_model;
  /// Empty in the file: the provider's.
  std::string region;
  policy::CapacityKind kind = policy::CapacityKind::on_demand;
  std::string boundary;
  /// The node that owns it. Empty: node.id, and so each node that has the file has one of its own.
  std::string home;
  policy::QuotaPolicy limits;
  CapacityConfig capacity;
  /// When the file gives none: prices.models[remote_model], else the price list's of the day it was read. For
  /// choosing; what attempts are booked at is `tariff`.
  policy::Price price;
  /// Not in the file: made of `price` or the price list when it is read.
  policy::Tariff tariff;
  ReservedConfig reserved;
  std::uint32_t context_tokens_max = 200'000;
  std::uint32_t output_tokens_max = 64'000;
  /// The model goes on from an assistant message at the end of a request.
  bool accepts_prefix = false;
  policy::BreakerPolicy breaker;
  std::vector<SignOffConfig> sign_offs;
};
/// As routing wants it.
policy::EndpointFacts endpoint_facts(const EndpointConfig& endpoint);
/// Its limits and how it keeps within them. `shares`: features have guarantees (node.tokens_per_minute); then
/// only reserved capacity is left for a while after a refusal (SpillPolicy).
policy::GuardPolicy guard_policy(const EndpointConfig& endpoint, bool shares);

/// In the file `endpoints: {defaults: {...}, list: [...]}`: each entry of the list starts as `defaults` and
/// says what differs, so a breaker policy is written once and can still be overridden for one endpoint.
struct EndpointDefaults {
  policy::QuotaPolicy limits;
  CapacityConfig capacity;
  std::uint32_t context_tokens_max = 200'000;
  std::uint32_t output_tokens_max = 64'000;
  policy::BreakerPolicy breaker;
};
struct EndpointsConfig {
  EndpointDefaults defaults;
  /// What must have been signed before an endpoint sees data of a class; the same for every provider (D10).
  std::map<std::string, DataClassConfig> data_classes;
  std::vector<EndpointConfig> list;
};

struct ModelConfig {
  std::string description;
  std::vector<SignOffConfig> sign_offs;
};

/// What an evaluation found of a model at a feature's work (E1).
struct QualityConfig {
  /// A model of the hierarchy.
  std::string model;
  /// Lower end of the confidence interval, in [0, 1].
  double lower = 0;
  /// "YYYY-MM-DD": not used from this day on (UTC).
  std::string expires;
};

/// Of node.tokens_per_minute (C6).
struct ShareConfig {
  /// Always had; what others leave is borrowed.
  double guaranteed_tokens_per_minute = 0;
  /// Never exceeded; 0: no such limit.
  double tokens_per_minute_max = 0;
};

struct FeatureConfig {
  /// Our model names, best first.
  std::vector<std::string> hierarchy;
  policy::WorkClass work_class = policy::WorkClass::interactive;  ///< `class` in the file
  std::string boundary;
  /// Of what its requests carry: a key of endpoints.data_classes; empty: needs no sign-off.
  std::string data_class;
  /// Not empty: models are ranked by these instead of by the hierarchy's order.
  std::vector<QualityConfig> quality;
  /// Requests of a size for which another model of the hierarchy leads; the first that fits.
  std::vector<policy::Divert> diverts;
  Duration deadline = std::chrono::minutes(2);
  /// What becomes of a call whose answer breaks off while someone reads it.
  policy::AfterFirstToken after_first_token = policy::AfterFirstToken::restart;
  policy::RoutePolicy route;
  policy::RetryPolicy retry;
  policy::AdmissionPolicy admission;
  policy::HedgePolicy hedge;
  ShareConfig share;
  ShadowConfig shadow;
  ChoiceConfig choice;
  FeatureBudgetConfig budget;
};

struct TenantConfig {
  /// Data of this tenant may be processed only there.
  std::string boundary;
  /// Where its days begin and end, for schedules; empty: the schedule's own zone.
  std::string zone;
  /// Names by which experiments choose tenants.
  std::vector<std::string> cohorts;
  policy::BudgetPolicy budget;
  /// Beside the feature's other tenants, where shares are divided.
  double weight = 1;
};

struct PricesConfig {
  /// A price list like configs/prices.yaml, relative to this file; empty: none. Read when the configuration
  /// is, for the prices of that day.
  std::string file;
  /// By the provider's model id; USD per 1,000,000 tokens.
  std::map<std::string, policy::Price> models;
};

struct TelemetryConfig {
  /// debug, info, warn, error or off.
  std::string log_level = "info";
};

struct Config {
  NodeConfig node;
  StoreConfig store;
  ClusterConfig cluster;
  HttpConfig http;
  std::map<std::string, ProviderConfig> providers;
  EndpointsConfig endpoints;
  std::map<std::string, ModelConfig> models;
  std::map<std::string, FeatureConfig> features;
  std::map<std::string, ExperimentConfig> experiments;
  std::map<std::string, RolloutConfig> rollouts;
  std::map<std::string, TenantConfig> tenants;
  /// Files of declared workflows (docs/WORKFLOWS.md) that the node knows beside the built-in ones, relative
  /// to this file; absolute once loaded.
  std::vector<std::string> workflows;
  std::map<std::string, ScheduleConfig> schedules;
  PricesConfig prices;
  ToolsConfig tools;
  TelemetryConfig telemetry;
  SimulatorConfig simulator;
};

/// How a feature's calls are admitted and routed. `feature` must be a key of `features`.
policy::DispatchPolicy dispatch_policy(const Config& config, const std::string& feature);
/// How the node's features share node.tokens_per_minute.
policy::QuotaTreePolicy quota_tree_policy(const Config& config);

/// One thing wrong with values that are each well-formed, and where: "endpoints.list[2].provider".
struct Problem {
  std::string path;
  std::string what;
};
/// Cross references, ranges, duplicate ids, and a backup in another failure domain for every feature (C10:
/// another provider or another region). Empty when sound. Reads no file and no secret.
std::vector<Problem> validate(const Config& config);

/// A configuration file of at most 4 MiB, read and validated. input_missing when it cannot be opened;
/// otherwise bad_config whose `what` has one line per problem: "FILE:LINE: KEY: what is wrong; what would be
/// right".
Result<Config> load_config(const std::string& path);
/// The same for text already read. `name` stands for the file in messages; relative `file:` references start
/// at `directory`.
Result<Config> parse_config(std::string_view text, const std::string& name,
                            const std::string& directory = ".");

/// configs/demo.yaml as it was when this was built.
Config demo_config();
std::string_view demo_config_text();

/// Every option that has a value, one "path = value" a line, in the order of the file's sections. For `troupe
/// check` and for comparing configurations. Holds secret references, no secrets.
std::string to_text(const Config& config);

/// Paths of every option there is ("endpoints.list[].price.input", "providers.*.auth.kind").
std::set<std::string> known_keys();

}  // namespace troupe::config
