#include "providers/vertex/anthropic.hpp"

#include "providers/anthropic/decode.hpp"
#include "providers/anthropic/encode.hpp"
#include "providers/anthropic/errors.hpp"
#include "providers/anthropic/stream.hpp"
#include "providers/anthropic/version.hpp"
#include "providers/text.hpp"
#include "providers/vertex/gemini_path.hpp"
#include "providers/vertex/google_error.hpp"

namespace troupe::providers::vertex {
namespace {

constexpr std::string_view kRawPredictVersion = "vertex-2023-10-16";

Result<std::string> raw_predict_path(const Target& target, bool stream) {
  if (target.model.empty()) return fail(Errc::bad_request, "the model is not named");
  if (target.project.empty() || target.location.empty())
    return fail(Errc::bad_config, "Vertex needs a project and a location");
  return target.base_path + "/v1/projects/" + percent_encode(target.project, ":") + "/locations/" +
         percent_encode(target.location) + "/publishers/anthropic/models/" +
         percent_encode(target.model, "@") + (stream ? ":streamRawPredict" : ":rawPredict");
}

Error classify_raw_predict_event(const Json& event) {
  const auto* google = anthropic::is_error_body(event) ? nullptr : find_google_error(event);
  return google != nullptr ? classify_google_chunk(*google) : anthropic::classify_event(event);
}

class RawPredictDialect final : public Dialect {
 public:
  std::string_view name() const override { return "vertex_anthropic"; }

  Result<http::Request> encode(const CompletionRequest& request, const Target& target) const override {
    auto path = raw_predict_path(target, request.stream);
    if (!path) return std::unexpected(path.error());
    auto version = anthropic::choose_version(target.api_version, kRawPredictVersion);
    if (!version) return std::unexpected(version.error());
    auto body = anthropic::write_messages_body(
        request, {.version = *version, .sampling = !anthropic::refuses_sampling(*version)});
    if (!body) return std::unexpected(body.error());
    http::Request out;
    out.target = std::move(*path);
    out.headers = {{"host", target.host.empty() ? location_host(target.location) : target.host},
                   {"accept", "application/json"},
                   {"content-type", "application/json"}};
    put_request_type(out.headers, target);
    out.body = dump_json(*body);
    return out;
  }

  Result<Completion> decode(const http::Response& response) const override {
    auto body = parse_json(response.body);
    if (!body) return fail(Errc::stream_broken, "the answer is not JSON");
    return anthropic::read_message(*body);
  }

  std::unique_ptr<StreamDecoder> stream_decoder() const override {
    return std::make_unique<anthropic::MessagesStreamDecoder>(classify_raw_predict_event);
  }

  Error classify(const http::Response& response, WallTime wall) const override {
    auto body = parse_json(response.body);
    bool google = body && !anthropic::is_error_body(*body) && find_google_error(*body) != nullptr;
    return google ? classify_google(response, wall) : anthropic::classify_answer(response, wall);
  }
};

}  // namespace

std::string location_host(const std::string& location) {
  if (location == "global") return "aiplatform.googleapis.com";
  if (location == "us" || location == "eu") return "aiplatform." + location + ".rep.googleapis.com";
  return location + "-aiplatform.googleapis.com";
}

const Dialect& anthropic_dialect() {
  static const RawPredictDialect instance;
  return instance;
}

}  // namespace troupe::providers::vertex
