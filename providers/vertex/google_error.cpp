#include "providers/vertex/google_error.hpp"

#include "providers/classify.hpp"
#include "providers/retry_hint.hpp"
#include "providers/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>

namespace troupe::providers::vertex {
namespace {

struct GoogleWord {
  std::string_view word;
  Errc code;
};

// google.rpc.Code. RESOURCE_EXHAUSTED and FAILED_PRECONDITION mean what their messages say.
constexpr std::array kGoogleWords{
    GoogleWord{"INVALID_ARGUMENT", Errc::bad_request}, GoogleWord{"FAILED_PRECONDITION", Errc::bad_request},
    GoogleWord{"OUT_OF_RANGE", Errc::bad_request},     GoogleWord{"ALREADY_EXISTS", Errc::bad_request},
    GoogleWord{"UNAUTHENTICATED", Errc::auth},         GoogleWord{"PERMISSION_DENIED", Errc::permission},
    GoogleWord{"NOT_FOUND", Errc::not_found},          GoogleWord{"RESOURCE_EXHAUSTED", Errc::rate_limited},
    GoogleWord{"UNAVAILABLE", Errc::overloaded},       GoogleWord{"INTERNAL", Errc::transient_server},
    GoogleWord{"UNKNOWN", Errc::transient_server},     GoogleWord{"DATA_LOSS", Errc::transient_server},
    GoogleWord{"ABORTED", Errc::transient_server},     GoogleWord{"DEADLINE_EXCEEDED", Errc::timeout},
    GoogleWord{"CANCELLED", Errc::cancelled},
};

constexpr const char* kQuotaText = "Quota exceeded for aiplatform.googleapis.com.";
constexpr const char* kDailyText = "Quota exceeded for aiplatform.googleapis.com: requests per day.";
constexpr const char* kGoogleTooLong =
    "The input token count of the request exceeds the maximum number of tokens allowed.";
// No HTTP error of Google's own says it: a blocked prompt is a 200 with promptFeedback. Ours.
constexpr const char* kGoogleBlocked = "The prompt was blocked by safety filters.";
constexpr const char* kNotReadyText = "The model is not ready yet.";

// What an error says. Status 0 when nothing named one.
struct GoogleSaid {
  int status = 0;
  std::string word, message;
  bool quota_failure = false, daily = false;
  std::optional<Duration> delay;
};

bool names_a_day(std::string_view lower) {
  return lower.find("per day") != std::string_view::npos || lower.find("per_day") != std::string_view::npos ||
         lower.find("perday") != std::string_view::npos;
}

void read_detail(const Json& detail, GoogleSaid& said) {
  auto type = get_string(detail, "@type");
  if (type.ends_with("google.rpc.RetryInfo")) {
    // A protobuf Duration: seconds with a fraction and "s", which Go's form contains.
    auto delay = parse_go_duration(get_string(detail, "retryDelay"));
    if (delay) said.delay = std::clamp<Duration>(*delay, Duration::zero(), std::chrono::hours(1));
  }
  if (!type.ends_with("google.rpc.QuotaFailure")) return;
  said.quota_failure = true;
  const auto* violations = find(detail, "violations");
  if (violations == nullptr || !violations->is_array()) return;
  for (const auto& violation : *violations)
    said.daily = said.daily || names_a_day(to_lower(get_string(violation, "quotaId")));
}

GoogleSaid read_google_error(const Json& error, int status) {
  GoogleSaid said{.status = status, .word = get_string(error, "status")};
  said.message = get_string(error, "message");
  if (said.status == 0) {
    auto code = get_int(error, "code");
    said.status = code >= 400 && code < 600 ? static_cast<int>(code) : 0;
  }
  const auto* details = find(error, "details");
  if (details != nullptr && details->is_array())
    for (const auto& detail : *details) read_detail(detail, said);
  return said;
}

Error classify_exhausted(const GoogleSaid& said, std::string_view text, std::string what) {
  bool quota = said.quota_failure || text.find("quota exceeded") != std::string_view::npos ||
               text.find("current quota") != std::string_view::npos;
  if (quota && (said.daily || names_a_day(text))) return make_error(Errc::quota_exhausted, std::move(what));
  bool pool = !quota && text.find("resource exhausted") != std::string_view::npos;
  auto error = make_error(pool ? Errc::overloaded : Errc::rate_limited, std::move(what));
  error.counts_for_breaker = false;
  return error;
}

Error classify_refusal(const GoogleSaid& said, std::string_view text, std::string what) {
  if (says_context_too_long(text, 400)) return make_error(Errc::context_length_exceeded, std::move(what));
  if (text.find("blocked by safety filters") != std::string_view::npos)
    return make_error(Errc::content_filtered, std::move(what));
  // What the project, not the request, lacks.
  bool project =
      said.word == "FAILED_PRECONDITION" && (text.find("not allowed") != std::string_view::npos ||
                                             text.find("location is not") != std::string_view::npos ||
                                             text.find("billing") != std::string_view::npos);
  if (project) return make_error(Errc::permission, std::move(what));
  // The Developer API answers a wrong key with 400.
  if (text.find("api key not valid") != std::string_view::npos)
    return make_error(Errc::auth, std::move(what));
  return make_error(Errc::bad_request, std::move(what));
}

Error classify_unknown(const GoogleSaid& said, std::string_view text, std::string what) {
  if (says_context_too_long(text, said.status))
    return make_error(Errc::context_length_exceeded, std::move(what));
  auto error = said.status == 499 ? make_error(Errc::cancelled, std::move(what))
                                  : error_of_status(said.status == 0 ? 500 : said.status, std::move(what));
  error.unrecognised = !said.word.empty();
  return error;
}

Error classify_said_by_google(const GoogleSaid& said, std::string what) {
  auto text = to_lower(std::string_view(said.message).substr(0, 4096));
  auto row = std::ranges::find(kGoogleWords, std::string_view(said.word), &GoogleWord::word);
  // A chunk may name the number and no word.
  bool exhausted = said.word.empty() && said.status == 429;
  if (exhausted || said.word == "RESOURCE_EXHAUSTED") return classify_exhausted(said, text, std::move(what));
  if (row == kGoogleWords.end()) return classify_unknown(said, text, std::move(what));
  if (row->code == Errc::bad_request) return classify_refusal(said, text, std::move(what));
  bool warming = row->code == Errc::overloaded && text.find("model is not ready") != std::string::npos;
  auto error = make_error(warming ? Errc::model_not_ready : row->code, std::move(what));
  if (said.word == "ABORTED") error.counts_for_breaker = false;
  return error;
}

}  // namespace

const Json* find_google_error(const Json& body) {
  const auto* holder = body.is_array() && body.size() == 1 ? &body.front() : &body;
  const auto* error = find(*holder, "error");
  bool google = error != nullptr && error->is_object() && get_string(*holder, "type") != "error";
  return google ? error : nullptr;
}

Error classify_google(const http::Response& response, WallTime wall) {
  auto body = parse_json(response.body);
  const auto* said_error = body ? find_google_error(*body) : nullptr;
  GoogleSaid said{.status = response.status};
  if (said_error != nullptr) said = read_google_error(*said_error, response.status);
  auto error = classify_said_by_google(
      said, fmt::format("answered {} ({})", response.status, printable_type(said.word)));
  error.vendor_text = clip_vendor_text(said_error != nullptr ? said.message : response.body);
  apply_retry_headers(error, response.headers, wall);
  if (said.delay && !read_retry_after(response.headers, wall)) error.retry_after = said.delay;
  return error;
}

Error classify_google_chunk(const Json& chunk_error) {
  auto said = read_google_error(chunk_error, 0);
  auto error =
      classify_said_by_google(said, fmt::format("error inside the stream ({})", printable_type(said.word)));
  error.maybe_billed = true;
  error.retry_after = said.delay;
  error.vendor_text = clip_vendor_text(said.message);
  return error;
}

GoogleShape google_shape_of(Errc code) {
  switch (code) {
    case Errc::rate_limited: return {429, "RESOURCE_EXHAUSTED", kQuotaText, true};
    case Errc::quota_exhausted: return {429, "RESOURCE_EXHAUSTED", kDailyText, true};
    case Errc::overloaded:
    case Errc::no_endpoint:
    case Errc::refused:
    case Errc::unreachable: return {503, "UNAVAILABLE", "The service is currently unavailable."};
    case Errc::model_not_ready: return {503, "UNAVAILABLE", kNotReadyText, true};
    case Errc::timeout:
    case Errc::deadline_exceeded:
      return {504, "DEADLINE_EXCEEDED", "Deadline expired before operation could complete."};
    case Errc::bad_request:
    case Errc::invalid_input:
    case Errc::unsupported: return {400, "INVALID_ARGUMENT", "Request contains an invalid argument."};
    case Errc::context_length_exceeded: return {400, "INVALID_ARGUMENT", kGoogleTooLong, true};
    case Errc::content_filtered: return {400, "INVALID_ARGUMENT", kGoogleBlocked, true};
    case Errc::auth: return {401, "UNAUTHENTICATED", "Request had invalid authentication credentials."};
    case Errc::permission:
      return {403, "PERMISSION_DENIED", "Permission 'aiplatform.endpoints.predict' denied on resource."};
    case Errc::not_found: return {404, "NOT_FOUND", "Publisher Model was not found."};
    case Errc::cancelled: return {499, "CANCELLED", "The operation was cancelled."};
    default: return {500, "INTERNAL", "Internal error encountered."};
  }
}

Json google_error_body(const GoogleShape& shape, const Error& error) {
  std::string message = error.vendor_text.empty() ? shape.message : error.vendor_text;
  if (shape.message_tells && !error.vendor_text.empty())
    message = fmt::format("{} {}", shape.message, error.vendor_text);
  Json inner{{"code", shape.status}, {"message", std::move(message)}, {"status", shape.word}};
  if (error.retry_after) {
    Json info{{"@type", "type.googleapis.com/google.rpc.RetryInfo"}};
    info["retryDelay"] = fmt::format("{:.3f}s", std::chrono::duration<double>(*error.retry_after).count());
    inner["details"] = Json::array();
    inner["details"].push_back(std::move(info));
  }
  Json body = Json::object();
  body["error"] = std::move(inner);
  return body;
}

http::Response write_google_error(const Error& error) {
  auto shape = google_shape_of(error.code);
  http::Response out{shape.status, {{"content-type", "application/json; charset=UTF-8"}}, {}};
  if (error.retry_after) {
    auto seconds = std::chrono::ceil<std::chrono::seconds>(*error.retry_after).count();
    out.headers.emplace_back("retry-after", fmt::to_string(seconds));
  }
  out.body = dump_json(google_error_body(shape, error));
  return out;
}

}  // namespace troupe::providers::vertex
