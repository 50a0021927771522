// Who answers a query of the command line: a running node over the wire, or a state file read here.
#include "apps/troupe/command.hpp"

#include "actors/desk.hpp"
#include "actors/store.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/config/config.hpp"

#include <troupe/client.hpp>

#include <fmt/format.h>

#include <filesystem>

namespace troupe::app {
namespace {

class RemoteAsker final : public Asker {
 public:
  explicit RemoteAsker(std::unique_ptr<Client> client) : client_(std::move(client)) {}
  Result<Json> ask(const std::string& verb, const Json& input) override {
    auto told = client_->ask(verb, {dump_json(input)});
    if (!told) return std::unexpected(told.error());
    return parse_json(told->text);
  }

 private:
  std::unique_ptr<Client> client_;
};

// Reads a state file, also one a running node writes to. What only a live node knows, it says it cannot tell.
class StateAsker final : public Asker {
 public:
  StateAsker(std::unique_ptr<journal::Journal> journal, Config config)
      : journal_(std::move(journal)), config_(std::move(config)) {
    services_.journal = journal_.get();
    services_.clock = &system_clock();
    services_.progress = [](const std::string&) { return std::nullopt; };
    services_.cancel = [](const std::string&) { return false; };
    services_.signal = [](const std::string&, const std::string&, const std::string&, std::uint64_t) {
      return false;
    };
  }
  Result<Json> ask(const std::string& verb, const Json& input) override {
    if (verb == "endpoints") return last_known_health();
    if (verb == "submit") return fail(Errc::unsupported, verb + " needs a node; give --to ADDRESS");
    Result<std::string> json = fail(Errc::internal, "no answer");
    actors::answer_question(services_, verb, input,
                            [&json](Result<std::string> told) { json = std::move(told); });
    if (!json) return std::unexpected(json.error());
    return parse_json(*json);
  }

 private:
  // The last word of each breaker, and what the last hour's attempts looked like.
  Result<Json> last_known_health() {
    auto breakers = journal_->breakers({});
    if (!breakers) return std::unexpected(breakers.error());
    std::map<std::string, journal::BreakerRow> last;
    for (auto& row : *breakers) last[row.endpoint] = row;
    auto costs = journal_->cost("endpoint", {});
    if (!costs) return std::unexpected(costs.error());
    std::map<std::string, journal::CostRow> used;
    for (auto& row : *costs) used[row.key] = row;
    Json out = Json::array();
    for (const auto& endpoint : config_.values().endpoints.list) {
      Json line;
      line["endpoint"] = endpoint.id;
      auto it = last.find(endpoint.id);
      line["state"] = it == last.end() ? "closed" : it->second.to;
      line["reason"] = it == last.end() ? "none" : it->second.reason;
      line["share"] = it == last.end() ? 1.0 : it->second.share;
      if (it != last.end()) line["since"] = to_iso8601(it->second.at);
      line["samples"] = used[endpoint.id].attempts;
      line["error_share"] = used[endpoint.id].attempts == 0
                                ? 0.0
                                : static_cast<double>(used[endpoint.id].failed) /
                                      static_cast<double>(used[endpoint.id].attempts);
      line["model"] = endpoint.model;
      line["provider"] = endpoint.provider;
      line["region"] = endpoint.region;
      line["kind"] = policy::to_string(endpoint.kind);
      line["home"] = endpoint.home.empty() ? config_.values().node.id : endpoint.home;
      out.push_back(std::move(line));
    }
    return out;
  }

  std::unique_ptr<journal::Journal> journal_;
  Config config_;
  actors::DeskServices services_;
};

Result<std::unique_ptr<Asker>> remote(const AskerOptions& options) {
  if (options.server_key.empty() || options.key_file.empty())
    return fail(Errc::bad_config,
                "a node is asked with --server-key (its public key) and --key (our secret key's file; "
                "see troupe keygen)");
  auto secret = config::read_secret({"file:" + options.key_file});
  if (!secret) return std::unexpected(secret.error());
  auto client = Client::connect({options.to, options.server_key, *secret, std::chrono::seconds(10)});
  if (!client) return std::unexpected(client.error());
  return std::make_unique<RemoteAsker>(std::move(*client));
}

}  // namespace

void add_asker_options(CLI::App& app, AskerOptions& options) {
  app.add_option("--to", options.to,
                 "Address of a node, tcp://HOST:PORT; without it: the state folder on this machine");
  app.add_option("--state", options.state_dir, "Folder of the journal and ledger")->capture_default_str();
  app.add_option("--config", options.config, "Configuration the state belongs to (default: the demo clouds)");
  app.add_option("--server-key", options.server_key, "The node's public key");
  app.add_option("--key", options.key_file, "File with our secret key");
}

Result<std::unique_ptr<Asker>> make_asker(const AskerOptions& options) {
  if (!options.to.empty()) return remote(options);
  auto config = config_from(options.config, {});
  if (!config) return std::unexpected(config.error());
  auto state = config->with_state_dir(options.state_dir);
  auto journal = actors::open_store_readonly(state.values());
  if (journal && options.writes) {
    journal->reset();
    journal = actors::open_store(state.values());
  }
  if (!journal && journal.error().code == Errc::input_missing)
    return fail(Errc::input_missing,
                journal.error().what + "; nothing has run with this state folder and configuration yet");
  if (!journal) return std::unexpected(journal.error());
  return std::make_unique<StateAsker>(std::move(*journal), std::move(*config));
}

}  // namespace troupe::app
