// AWS's clients sign ":authority" in the host's place over HTTP/2; the server sees a Host header (observed
// with
// @aws-sdk/client-bedrock-runtime).
#include "providers/auth/sigv4.hpp"

#include <gtest/gtest.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace troupe::providers {
namespace {

const WallTime kSignedAt{1'440'938'160'000};  // 2015-08-30T12:36:00Z
const AwsCredentials kKeys{.access_key_id = "AKIDEXAMPLE",
                           .secret_access_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"};

http::Request signed_by(std::vector<std::string> names) {
  http::Request request{.target = "/model/m/converse", .body = "{}"};
  auto date = to_amz_date(kSignedAt);
  request.headers = {{"host", "cloud.example"}, {"x-amz-date", date}};
  SigningScope scope{"us-east-1", "bedrock"};
  auto key = signing_key(kKeys.secret_access_key, date.substr(0, 8), scope);
  auto text = string_to_sign(canonical_request(request, names), date, scope);
  request.headers.emplace_back(
      "authorization",
      fmt::format("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/{}/us-east-1/bedrock/aws4_request, "
                  "SignedHeaders={}, Signature={}",
                  date.substr(0, 8), fmt::join(names, ";"), signature(key, text)));
  return request;
}

Result<void> checked(const http::Request& request) {
  auto lookup = [](std::string_view id) { return id == kKeys.access_key_id ? &kKeys : nullptr; };
  return verify(request, lookup, kSignedAt);
}

TEST(SigV4, TakesTheAuthorityForTheHost) {
  EXPECT_TRUE(checked(signed_by({":authority", "x-amz-date"})));
  EXPECT_TRUE(checked(signed_by({"host", "x-amz-date"})));
}

TEST(SigV4, AnotherAuthorityOrNoneIsRefused) {
  auto moved = signed_by({":authority", "x-amz-date"});
  http::set_header(moved.headers, "host", "other.example");
  EXPECT_FALSE(checked(moved));
  EXPECT_FALSE(checked(signed_by({"x-amz-date"})));
}

}  // namespace
}  // namespace troupe::providers
