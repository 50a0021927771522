#include "runtime/tools/mcp_session.hpp"

#include "runtime/base/characters.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace troupe::tools {
namespace {

constexpr std::array<std::string_view, 3> kVersions = {"2025-06-18", "2025-03-26", "2024-11-05"};
constexpr std::size_t kMalformedMax = 100, kBatchMax = 64, kProblemsMax = 100, kCursorBytesMax = 4096;
constexpr std::size_t kNameBytesMax = 128, kDescriptionBytesMax = 4096, kSchemaBytesMax = 64 * 1024;
// A server that announces a change with every list would else be asked for ever.
constexpr Duration kRelistPause = std::chrono::seconds(1);

Json request_of(const char* method, Json params, std::optional<std::int64_t> id) {
  Json out = {{"jsonrpc", "2.0"}};
  if (id) out["id"] = *id;
  out["method"] = method;
  if (!params.is_null()) out["params"] = std::move(params);
  return out;
}

std::string content_text(const Json& part) {
  auto type = get_string(part, "type");
  if (type == "text") return get_string(part, "text");
  if (type == "image" || type == "audio")
    return fmt::format("[{} {}, {} bytes of base64]", type, get_string(part, "mimeType", "of unknown type"),
                       get_string(part, "data").size());
  if (type == "resource_link")
    return fmt::format("[link {}: {}]", get_string(part, "name"), get_string(part, "uri"));
  const auto* resource = find(part, "resource");
  if (type == "resource" && resource) {
    if (find(*resource, "text")) return get_string(*resource, "text");
    return fmt::format("[resource {}, {} bytes of base64]", get_string(*resource, "uri"),
                       get_string(*resource, "blob").size());
  }
  return "[content of a kind that is not known here]";
}

std::string error_words(const Json& error) {
  return fmt::format("The server refused: {} ({})", get_string(error, "message", "it does not say why"),
                     get_int(error, "code"));
}

}  // namespace

ToolOutput mcp_output(const Json& result, std::size_t bytes_max) {
  ToolOutput out{.is_error = get_bool(result, "isError")};
  const auto* content = find(result, "content");
  for (const auto& part : content && content->is_array() ? *content : Json::array()) {
    if (!out.text.empty()) out.text += '\n';
    out.text += content_text(part);
    if (out.text.size() > bytes_max) break;
  }
  const auto* structured = find(result, "structuredContent");
  if (out.text.empty() && structured) out.text = dump_json(*structured);
  if (out.text.size() > bytes_max) {
    cut_to(out.text, bytes_max);
    out.text += "\n[cut here: the answer is longer]";
  }
  return out;
}

void McpSession::send(const Json& message, std::optional<std::int64_t> id) {
  if (!closed_) sends_.push_back({dump_json(message), id, version_});
}

void McpSession::request(Kind kind, const char* method, Json params, Instant until, Done done) {
  auto id = next_id_++;
  pending_.emplace(id, Pending{kind, until, std::move(done)});
  send(request_of(method, std::move(params), id), id);
}

void McpSession::open(Instant now) {
  Json params = {{"protocolVersion", kVersions.front()},
                 {"capabilities", Json::object()},
                 {"clientInfo", {{"name", "troupe"}, {"version", "0.1.0"}}}};
  request(Kind::initialize, "initialize", std::move(params), now + config_.start_max);
}

void McpSession::list(Instant now) {
  listing_ = true;
  relist_at_.reset();
  listed_at_ = now;
  listed_.clear();
  listed_problems_.clear();
  pages_ = 0;
  request(Kind::list, "tools/list", Json::object(), now + config_.start_max);
}

void McpSession::call(const std::string& tool, const Json& input, Instant until, Done done) {
  if (closed_) return ends_.push_back([done, error = *closed_] { done(std::unexpected(error)); });
  request(Kind::call, "tools/call", {{"name", tool}, {"arguments", input}}, until, std::move(done));
}

std::size_t McpSession::calls() const {
  return static_cast<std::size_t>(
      std::ranges::count(pending_, Kind::call, [](const auto& entry) { return entry.second.kind; }));
}

void McpSession::on_message(std::string_view text, Instant now) {
  auto message = parse_json(text);
  if (!message) return malformed();
  if (!message->is_array()) return on_one(*message, now);
  // A batch (2025-03-26 has them).
  if (message->size() > kBatchMax) return malformed();
  for (const auto& one : *message) on_one(one, now);
}

void McpSession::malformed() {
  if (++malformed_ > kMalformedMax)
    close(make_error(Errc::unreachable, "the server does not speak the protocol"));
}

void McpSession::on_one(const Json& message, Instant now) {
  if (closed_) return;
  auto method = get_string(message, "method");
  if (method.empty()) return on_answer(message, now);
  if (find(message, "id")) return on_request(message);
  if (method == "notifications/tools/list_changed" && !relist_at_)
    relist_at_ = std::max(now, listed_at_ + kRelistPause);
}

void McpSession::on_request(const Json& message) {
  const auto& id = *find(message, "id");
  bool fits = id.is_number_integer() || (id.is_string() && id.get_ref<const std::string&>().size() <= 256);
  if (!fits) return malformed();
  Json answer = {{"jsonrpc", "2.0"}, {"id", id}};
  if (get_string(message, "method") == "ping")
    answer["result"] = Json::object();
  else
    answer["error"] = {{"code", -32601}, {"message", "method not found"}};
  send(answer);
}

void McpSession::on_answer(const Json& message, Instant now) {
  const auto* id = find(message, "id");
  const auto *result = find(message, "result"), *error = find(message, "error");
  bool answers =
      id && id->is_number_integer() && ((result && result->is_object()) || (error && error->is_object()));
  auto known = answers ? pending_.find(id->get<std::int64_t>()) : pending_.end();
  if (known == pending_.end()) return malformed();
  auto pending = std::move(known->second);
  pending_.erase(known);
  if (pending.kind == Kind::call) {
    answered_ = true;
    return end(std::move(pending), error ? ToolOutput{.text = error_words(*error), .is_error = true}
                                         : mcp_output(*result, config_.output_bytes_max));
  }
  if (error) return close(make_error(Errc::unreachable, error_words(*error)));
  if (pending.kind == Kind::initialize) return on_initialized(*result, now);
  on_page(*result, now);
}

void McpSession::on_initialized(const Json& result, Instant now) {
  auto version = get_string(result, "protocolVersion");
  if (std::ranges::find(kVersions, version) == kVersions.end())
    return close(make_error(Errc::unsupported, "the server speaks another version of the protocol"));
  version_ = version;
  send(request_of("notifications/initialized", {}, {}));
  const auto* capabilities = find(result, "capabilities");
  if (capabilities && find(*capabilities, "tools")) return list(now);
  ready_ = true;
}

void McpSession::on_page(const Json& result, Instant now) {
  const auto* page = find(result, "tools");
  for (const auto& tool : page && page->is_array() ? *page : Json::array()) take_tool(tool);
  auto cursor = get_string(result, "nextCursor");
  bool more = !cursor.empty() && cursor.size() <= kCursorBytesMax && listed_.size() < config_.tools_max;
  if (more && ++pages_ < config_.pages_max)
    return request(Kind::list, "tools/list", {{"cursor", cursor}}, now + config_.start_max);
  if (!cursor.empty()) listed_problems_.push_back("the server lists more tools than are taken");
  tools_ = std::move(listed_);
  problems_ = std::move(listed_problems_);
  listing_ = false;
  ready_ = true;
}

void McpSession::take_tool(const Json& tool) {
  McpToolInfo info{.name = get_string(tool, "name"), .description = get_string(tool, "description")};
  auto complain = [&](const char* why) {
    if (listed_problems_.size() < kProblemsMax)
      listed_problems_.push_back(
          fmt::format("tool \"{}\" {}", cut_to(std::string_view(info.name), kNameBytesMax), why));
  };
  if (info.name.empty() || info.name.size() > kNameBytesMax) return complain("has no usable name");
  if (listed_.size() >= config_.tools_max) return complain("is one too many");
  if (std::ranges::find(listed_, info.name, &McpToolInfo::name) != listed_.end())
    return complain("is there twice");
  const auto* schema = find(tool, "inputSchema");
  info.input_schema.text = schema && schema->is_object() ? dump_json(*schema) : R"({"type":"object"})";
  if (info.input_schema.text.size() > kSchemaBytesMax) return complain("has too large a schema");
  cut_to(info.description, kDescriptionBytesMax);
  if (const auto* hints = find(tool, "annotations")) {
    info.read_only = get_bool(*hints, "readOnlyHint");
    info.repeatable = info.read_only || get_bool(*hints, "idempotentHint");
  }
  listed_.push_back(std::move(info));
}

void McpSession::end(Pending pending, Result<ToolOutput> result) {
  if (pending.done)
    ends_.push_back([done = std::move(pending.done), result = std::move(result)] { done(result); });
}

void McpSession::on_failed(std::int64_t id, const Error& error) {
  auto known = pending_.find(id);
  if (known == pending_.end()) return;
  if (known->second.kind != Kind::call) return close(error);
  auto pending = std::move(known->second);
  pending_.erase(known);
  end(std::move(pending), std::unexpected(error));
}

void McpSession::on_time(Instant now) {
  if (closed_) return;
  if (relist_at_ && now >= *relist_at_ && ready_ && !listing_) list(now);
  for (auto it = pending_.begin(); it != pending_.end();) {
    if (now < it->second.until) {
      ++it;
      continue;
    }
    if (it->second.kind != Kind::call)
      return close(make_error(Errc::unreachable, "the server took too long to tell its tools"));
    send(request_of("notifications/cancelled", {{"requestId", it->first}, {"reason", "deadline exceeded"}},
                    {}));
    end(std::move(it->second), fail(Errc::deadline_exceeded, "the tool took too long"));
    it = pending_.erase(it);
  }
}

std::optional<Instant> McpSession::next_time() const {
  std::optional<Instant> out;
  if (ready_ && !listing_) out = relist_at_;
  for (const auto& [id, pending] : pending_) out = out ? std::min(*out, pending.until) : pending.until;
  return closed_ ? std::nullopt : out;
}

void McpSession::close(const Error& error) {
  if (closed_) return;
  closed_ = error;
  sends_.clear();
  for (auto& [id, pending] : std::exchange(pending_, {})) end(std::move(pending), std::unexpected(error));
}

}  // namespace troupe::tools
