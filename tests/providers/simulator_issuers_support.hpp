// What tests of the simulated issuers share: captured requests, their time, and readings of the answers.
#pragma once

#include "providers/simulator/issuers.hpp"
#include "providers/simulator/issuers_wire.hpp"
#include "providers/text.hpp"
#include "tests/providers/codec_support.hpp"

#include <gtest/gtest.h>

#include <regex>

namespace troupe::providers::simulator::issuers_test {

/// 2015-08-30T12:36:00Z, when the captures were signed.
inline constexpr WallTime kSigned{1'440'938'160'000};
inline WallTime after(std::int64_t seconds) { return {kSigned.ms + seconds * 1000}; }

inline const Json& captured_requests() {
  static const auto all = parse_json(codec_test::golden("issuers/requests.json")).value_or(Json::object());
  return all;
}

/// From the official SDKs, byte for byte but for the identity tokens (tests/golden/issuers).
inline http::Request captured(const std::string& name) {
  const auto* from = find(captured_requests(), name);
  if (from == nullptr) {
    ADD_FAILURE() << "no captured request " << name;
    return {};
  }
  http::Request request{
      get_string(*from, "method"), get_string(*from, "target"), {}, get_string(*from, "body")};
  for (const auto& header : (*from)["headers"])
    request.headers.emplace_back(header[0].get<std::string>(), header[1].get<std::string>());
  return request;
}

/// The session token that the captures were signed with.
inline std::string captured_session_token() {
  return *http::find_header(captured("assume_role").headers, "x-amz-security-token");
}

/// Knows the captures' session token.
inline config::SimulatedIssuers with_session() {
  config::SimulatedIssuers config;
  config.static_session_token = captured_session_token();
  return config;
}

/// Believes only the key that the captured JWTs were signed with.
inline config::SimulatedIssuers with_signers() {
  config::SimulatedIssuers config;
  auto key = codec_test::golden("issuers/public_key.pem");
  config.signers = {{"router@demo-project.iam.gserviceaccount.com", key}, {"https://issuer.example", key}};
  return config;
}

inline http::Response ask(Issuers& issuers, const http::Request& request, WallTime wall = kSigned) {
  auto response = issuers.respond(request, wall);
  if (!response) ADD_FAILURE() << request.method << " " << request.target << " is no issuer's";
  return response.value_or(http::Response{});
}

inline http::Request get(std::string target, http::Headers headers = {}) {
  headers.emplace_back("host", "127.0.0.1:1");
  return {"GET", std::move(target), std::move(headers), ""};
}
inline http::Request form(std::string target, std::string body) {
  return {"POST", std::move(target), {{"host", "127.0.0.1:1"}}, std::move(body)};
}

inline Json json_of(const http::Response& response) {
  return parse_json(response.body).value_or(Json::object());
}
/// "error" of an OAuth refusal, with the status: "400 invalid_grant".
inline std::string oauth_error(const http::Response& response) {
  return std::to_string(response.status) + " " + get_string(json_of(response), "error");
}
/// The text of the first such element.
inline std::string xml(const http::Response& response, const std::string& name) {
  std::smatch found;
  std::regex_search(response.body, found, std::regex("<" + name + ">([^<]*)</" + name + ">"));
  return found.size() > 1 ? found[1].str() : std::string();
}
/// "403 ExpiredToken"
inline std::string sts_error(const http::Response& response) {
  return std::to_string(response.status) + " " + xml(response, "Code");
}

inline AwsCredentials static_key() { return {"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", ""}; }
inline AwsCredentials keys_of_xml(const http::Response& response) {
  return {xml(response, "AccessKeyId"), xml(response, "SecretAccessKey"), xml(response, "SessionToken")};
}
inline AwsCredentials keys_of_json(const http::Response& response) {
  auto body = json_of(response);
  return {get_string(body, "AccessKeyId"), get_string(body, "SecretAccessKey"), get_string(body, "Token")};
}

inline http::Request signed_request(http::Request request, const AwsCredentials& credentials,
                                    const SigningScope& scope, WallTime wall) {
  EXPECT_TRUE(sign(request, credentials, scope, wall));
  return request;
}
/// A call of STS, signed by us.
inline http::Request sts_call(std::string fields, const AwsCredentials& credentials, WallTime wall = kSigned,
                              const std::string& service = "sts") {
  http::Request request{
      "POST",
      "/",
      {{"Host", "sts.us-east-1.amazonaws.com"}, {"Content-Type", "application/x-www-form-urlencoded"}},
      "Version=2011-06-15&" + std::move(fields)};
  return signed_request(std::move(request), credentials, {"us-east-1", service}, wall);
}
inline std::string assume(std::string_view role, std::string_view more = {}) {
  return "Action=AssumeRole&RoleSessionName=s1&RoleArn=" + percent_encode(role) + std::string(more);
}
inline http::Request model_call(const AwsCredentials& credentials, const std::string& region, WallTime wall) {
  http::Request request{
      "POST", "/model/m/converse", {{"Host", "127.0.0.1:1"}, {"Content-Type", "application/json"}}, "{}"};
  return signed_request(std::move(request), credentials, {region, "bedrock"}, wall);
}

inline constexpr const char* kDemoRole = "arn:aws:iam::123456789012:role/demo";

}  // namespace troupe::providers::simulator::issuers_test
