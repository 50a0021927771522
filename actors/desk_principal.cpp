#include "actors/desk_principal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace troupe::actors {
namespace {

constexpr std::array<std::string_view, 4> kOfOwnRuns{"runs.show", "runs.story", "runs.cancel", "runs.signal"};

// Nothing: there is no such run.
Result<std::optional<std::string>> owner_of(journal::Journal& journal, const std::string& run_id) {
  auto row = journal.run(run_id);
  if (!row) return std::unexpected(row.error());
  if (!*row) return std::nullopt;
  auto input = parse_json((*row)->input);
  return input ? get_string(*input, "principal") : std::string();
}

Result<void> check_free(const std::string& principal, const std::string& id, journal::Journal& journal) {
  auto owner = id.empty() ? Result<std::optional<std::string>>(std::nullopt) : owner_of(journal, id);
  if (!owner) return std::unexpected(owner.error());
  if (!*owner || **owner == principal) return {};
  return fail(Errc::invalid_input, "the run id " + id + " is taken");
}

Result<Json> submitted_by(const std::string& principal, Json question, journal::Journal& journal) {
  auto free = check_free(principal, get_string(question, "run_id"), journal);
  if (!free) return std::unexpected(free.error());
  if (!question.is_object()) return fail(Errc::invalid_input, "a submission is an object");
  auto& input = question["input"];
  if (input.is_null()) input = Json::object();
  if (!input.is_object())
    return fail(Errc::invalid_input, "the input must be an object, which says for whom");
  auto named = get_string(input, "principal");
  if (!named.empty() && named != principal)
    return fail(Errc::invalid_input, fmt::format("you ask as {}, not as {}", principal, named.substr(0, 80)));
  input["principal"] = principal;
  return question;
}

}  // namespace

std::optional<std::string> principal_of(const config::ClusterConfig& cluster, const std::string& peer) {
  for (const auto& client : cluster.clients)
    if (peer.starts_with("client:" + client.public_key.substr(0, 12) + "#")) return client.principal;
  return std::nullopt;
}

Result<Json> asked_by(const std::string& principal, const std::string& verb, Json question,
                      journal::Journal& journal) {
  if (verb == "submit") return submitted_by(principal, std::move(question), journal);
  if (std::ranges::find(kOfOwnRuns, verb) == kOfOwnRuns.end())
    return fail(Errc::refused, verb + " is not for clients that ask for themselves");
  auto id = get_string(question, "id");
  auto owner = owner_of(journal, id);
  if (!owner) return std::unexpected(owner.error());
  // One that was submitted an instant ago has no row yet; until then only that it goes can be told of it.
  bool unknown = !*owner && verb == kOfOwnRuns[0];
  if (unknown || (*owner && **owner == principal)) return question;
  return fail(Errc::not_found, "no run " + id + " is known here");
}

}  // namespace troupe::actors
