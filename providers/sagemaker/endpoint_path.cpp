#include "providers/sagemaker/endpoint_path.hpp"

#include "providers/text.hpp"

#include <algorithm>
#include <utility>

namespace troupe::providers::sagemaker {
namespace {

constexpr std::size_t kNameMax = 63;
constexpr std::string_view kEndpoints = "/endpoints/";
constexpr std::string_view kWholeCall = "/invocations";
constexpr std::string_view kStreamCall = "/invocations-response-stream";

bool is_endpoint_name(std::string_view name) {
  auto allowed = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  return !name.empty() && name.size() <= kNameMax && std::ranges::all_of(name, allowed);
}

}  // namespace

Result<std::string> write_path(const EndpointPath& path) {
  if (!is_endpoint_name(path.endpoint))
    return fail(Errc::bad_request, "an endpoint's name is 1 to 63 letters, digits and hyphens");
  return std::string(kEndpoints) + path.endpoint + std::string(path.stream ? kStreamCall : kWholeCall);
}

std::optional<EndpointPath> read_path(const http::Request& request) {
  auto path = path_of(request.target);
  auto start = path.rfind(kEndpoints);
  if (request.method != "POST" || start == std::string_view::npos) return std::nullopt;
  auto rest = path.substr(start + kEndpoints.size());
  auto call = rest.find('/');
  if (call == std::string_view::npos) return std::nullopt;
  bool stream = rest.substr(call) == kStreamCall;
  if (!stream && rest.substr(call) != kWholeCall) return std::nullopt;
  auto name = percent_decode(rest.substr(0, call));
  if (!is_endpoint_name(name)) return std::nullopt;
  return EndpointPath{std::move(name), stream};
}

}  // namespace troupe::providers::sagemaker
