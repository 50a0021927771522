#include "providers/vertex/gemini_path.hpp"

#include "providers/text.hpp"

#include <fmt/format.h>

namespace troupe::providers::vertex {
namespace {

constexpr std::size_t kGeminiModelMax = 1024;
constexpr std::string_view kGenerate = ":generateContent";
constexpr std::string_view kStreamGenerate = ":streamGenerateContent";
constexpr std::string_view kGoogleModels = "publishers/google/models/";

// The resource below the API version, percent-encoded.
Result<std::string> gemini_resource(const Target& target) {
  std::string_view model = target.model;
  if (model.empty() || model.size() > kGeminiModelMax)
    return fail(Errc::bad_request, "the model id is empty or above 1024 bytes");
  auto encoded = percent_encode(model, "/@");
  if (model.starts_with("projects/")) return encoded;
  bool resource = model.starts_with("endpoints/") || model.starts_with("publishers/");
  if (!resource) encoded = percent_encode(model, "@");
  if (target.project.empty()) {
    if (resource) return fail(Errc::bad_config, "a Vertex endpoint needs a project");
    return "models/" + encoded;
  }
  if (target.location.empty()) return fail(Errc::bad_config, "a Vertex target needs a location");
  return fmt::format("projects/{}/locations/{}/{}{}", percent_encode(target.project, ":."),
                     percent_encode(target.location), resource ? "" : kGoogleModels, encoded);
}

bool asks_for_sse(std::string_view target) {
  auto query = target.substr(path_of(target).size());
  while (!query.empty()) {
    query.remove_prefix(1);
    auto one = query.substr(0, query.find('&'));
    if (one == "alt=sse") return true;
    query.remove_prefix(one.size());
  }
  return false;
}

// The model in "…/models/ID" or "…/endpoints/ID", as Target.model would say it; empty when there is none.
std::string model_of_resource(std::string_view resource) {
  auto slash = resource.rfind('/');
  if (slash == std::string_view::npos || slash + 1 == resource.size()) return {};
  auto id = resource.substr(slash + 1);
  auto parent = resource.substr(0, slash);
  if (parent.ends_with("/endpoints")) return "endpoints/" + percent_decode(id);
  if (!parent.ends_with("/models")) return {};
  auto publisher = parent.rfind("/publishers/");
  if (publisher == std::string_view::npos) return percent_decode(id);
  auto full = resource.substr(publisher + 1);
  return percent_decode(full.starts_with(kGoogleModels) ? id : full);
}

}  // namespace

Result<std::string> gemini_path(const Target& target, bool stream) {
  auto resource = gemini_resource(target);
  if (!resource) return resource;
  bool vertex = resource->starts_with("projects/");
  std::string_view version = vertex ? "v1" : "v1beta";
  if (!target.api_version.empty()) version = target.api_version;
  return fmt::format("/{}/{}{}{}", version, *resource, stream ? kStreamGenerate : kGenerate,
                     stream ? "?alt=sse" : "");
}

void put_request_type(http::Headers& headers, const Target& target) {
  bool vertex = !target.project.empty() || target.model.starts_with("projects/");
  if (!vertex || target.capacity == Capacity::any) return;
  headers.emplace_back("X-Vertex-AI-LLM-Request-Type",
                       target.capacity == Capacity::reserved ? "dedicated" : "shared");
}

std::optional<GeminiCall> read_gemini_path(const http::Request& request) {
  auto path = path_of(request.target);
  GeminiCall call{{}, path.ends_with(kStreamGenerate), asks_for_sse(request.target)};
  if (request.method != "POST" || !(call.stream || path.ends_with(kGenerate))) return std::nullopt;
  path.remove_suffix(call.stream ? kStreamGenerate.size() : kGenerate.size());
  call.model = model_of_resource(path);
  return call.model.empty() ? std::nullopt : std::optional(std::move(call));
}

}  // namespace troupe::providers::vertex
