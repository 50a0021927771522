// What AWS hands to the machine a program runs on: the instance's metadata and the container's credentials.
#include "providers/simulator/control.hpp"
#include "providers/simulator/issuers_services.hpp"
#include "providers/text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::providers::simulator {
namespace {

constexpr const char* kSessionTtlHeader = "x-aws-ec2-metadata-token-ttl-seconds";
constexpr std::int64_t kSessionTtlMax = 21'600;
constexpr std::string_view kRolesPath = "/latest/meta-data/iam/security-credentials";

http::Response plain_answer(int status, std::string text) {
  return {status, {{"content-type", "text/plain"}}, std::move(text)};
}

http::Response open_session(const http::Request& request, IssuerDesk& desk) {
  if (http::find_header(request.headers, "x-forwarded-for") != nullptr) return plain_answer(403, "Forbidden");
  auto ttl = read_digits(header_of(request, kSessionTtlHeader)).value_or(0);
  if (ttl < 1 || ttl > kSessionTtlMax) return plain_answer(400, "Bad Request");
  auto answer = plain_answer(200, desk.ledger.issue_session({desk.wall.ms + ttl * 1000}));
  answer.headers.emplace_back(kSessionTtlHeader, fmt::to_string(ttl));
  return answer;
}

// The restriction a configured role of that name has; none when there is no such entry.
std::string region_of_role(std::string_view arn, const config::SimulatedIssuers& config) {
  auto it = std::ranges::find(config.roles, arn, &config::SimulatedRole::arn);
  return it == config.roles.end() ? std::string() : it->region;
}

const IssuedKey& issue_machine_key(const std::string& role, const char* session, IssuerDesk& desk) {
  const auto& account = desk.config.aws_account;
  IssuedKey holder;
  holder.arn = fmt::format("arn:aws:sts::{}:assumed-role/{}/{}", account, role, session);
  holder.user_id = "AROA" + desk.ledger.letters(17) + ":" + session;
  holder.region = region_of_role(fmt::format("arn:aws:iam::{}:role/{}", account, role), desk.config);
  holder.expires = desk.expiry();
  return desk.ledger.issue_key(std::move(holder));
}

void put_credentials(Json& out, const IssuedKey& key) {
  out["AccessKeyId"] = key.credentials.access_key_id;
  out["SecretAccessKey"] = key.credentials.secret_access_key;
  out["Token"] = key.credentials.session_token;
  out["Expiration"] = to_second_iso(key.expires);
}

http::Response instance_keys(IssuerDesk& desk) {
  const auto& key = issue_machine_key(desk.config.instance_role, "i-00000000000000001", desk);
  Json out{{"Code", "Success"}, {"LastUpdated", to_second_iso(desk.wall)}, {"Type", "AWS-HMAC"}};
  put_credentials(out, key);
  // The real one says text/plain, though it is JSON.
  return plain_answer(200, dump_json(out, 2));
}

http::Response identity_document(const config::SimulatedIssuers& config, const std::string& region) {
  Json out{{"accountId", config.aws_account},
           {"availabilityZone", config.availability_zone},
           {"instanceId", "i-00000000000000001"},
           {"region", region}};
  return plain_answer(200, dump_json(out, 2));
}

http::Response tell_instance(std::string_view path, IssuerDesk& desk) {
  const auto& config = desk.config;
  // "us-east-1a" without its letter.
  auto region = config.availability_zone.substr(
      0, config.availability_zone.find_last_not_of("abcdefghijklmnopqrstuvwxyz") + 1);
  if (path == "/latest/meta-data/placement/availability-zone")
    return plain_answer(200, config.availability_zone);
  if (path == "/latest/meta-data/placement/region") return plain_answer(200, region);
  if (path == "/latest/dynamic/instance-identity/document") return identity_document(config, region);
  if (!path.starts_with(kRolesPath) || config.instance_role.empty()) return plain_answer(404, "Not Found");
  auto rest = path.substr(kRolesPath.size());
  if (rest.empty() || rest == "/") return plain_answer(200, config.instance_role);
  return rest == "/" + config.instance_role ? instance_keys(desk) : plain_answer(404, "Not Found");
}

http::Response refuse_container(int status, const char* code, const char* message) {
  return json_response(status, {{"Code", code}, {"Message", message}});
}

}  // namespace

http::Response answer_instance(const http::Request& request, IssuerDesk& desk) {
  auto path = path_of(request.target);
  bool opens = path == "/latest/api/token";
  if (request.method != (opens ? "PUT" : "GET")) return plain_answer(405, "Method Not Allowed");
  if (opens) return open_session(request, desk);
  auto known = desk.ledger.is_session(header_of(request, "x-aws-ec2-metadata-token"), desk.wall);
  return known ? tell_instance(path, desk) : plain_answer(401, "Unauthorized");
}

http::Response answer_container(const http::Request& request, IssuerDesk& desk) {
  if (request.method != "GET") return refuse_container(405, "MethodNotAllowed", "Use GET.");
  const auto& token = header_of(request, "authorization");
  bool pod = path_of(request.target) == "/v1/credentials";
  if (pod && token.empty())
    return refuse_container(400, "InvalidTokenException", "Service account token cannot be empty");
  if (!desk.config.container_token.empty() && token != desk.config.container_token)
    return refuse_container(pod ? 400 : 403, pod ? "InvalidTokenException" : "AccessDenied",
                            "The authorization token is not valid");
  const auto& key = issue_machine_key(desk.config.container_role, "container", desk);
  Json out = Json::object();
  put_credentials(out, key);
  out["AccountId"] = desk.config.aws_account;
  auto arn = fmt::format("arn:aws:iam::{}:role/{}", desk.config.aws_account, desk.config.container_role);
  if (!pod) out["RoleArn"] = std::move(arn);
  return json_response(200, out);
}

}  // namespace troupe::providers::simulator
