// Signature Version 4: what is signed is verified, what was changed is not, and strangers' requests do no
// harm.
#include "providers/auth/sigv4.hpp"
#include "runtime/http/message_text.hpp"
#include "tests/fuzz/targets.hpp"

#include <array>

namespace troupe::fuzz {
namespace {

const providers::SigningScope sigv4_scope{"us-east-1", "bedrock"};
const providers::AwsCredentials stranger{"AKIDEXAMPLE", "another secret", ""};

http::Request read_sigv4_request(Input& in) {
  http::Request request;
  request.method = in.until(' ');
  request.target = in.line();
  for (auto line = in.line(); !line.empty(); line = in.line()) {
    auto colon = std::min(line.find(": "), line.size());
    request.headers.emplace_back(std::string(line.substr(0, colon)),
                                 std::string(line.substr(std::min(colon + 2, line.size()))));
  }
  request.body = in.rest();
  return request;
}

// Nobody but the owner of a secret makes a signature; whatever the request claims.
void check_stranger(const http::Request& request, WallTime now) {
  auto anyone = [](std::string_view) { return &stranger; };
  auto nobody = [](std::string_view) -> const providers::AwsCredentials* { return nullptr; };
  require(!providers::verify(request, anyone, now), "a signature cannot be guessed");
  auto refused = providers::verify(request, nobody, now);
  require(!refused && refused.error().code == Errc::auth, "an unknown key is refused with auth");
}

void check_canonical(const http::Request& request) {
  std::vector<std::string> names;
  for (const auto& [name, value] : request.headers) names.push_back(name);
  auto canonical = providers::canonical_request(request, names);
  require(canonical == providers::canonical_request(request, names), "the canonical form is a function");
  require(canonical.ends_with(providers::sha256_hex(request.body)), "the body's digest closes it");
}

void check_changed(const http::Request& signed_request, const providers::CredentialLookup& lookup,
                   WallTime now) {
  auto changed = signed_request;
  changed.body += 'x';
  require(!providers::verify(changed, lookup, now), "another body is refused");
  changed = signed_request;
  http::set_header(changed.headers, "host", *http::find_header(changed.headers, "host") + "x");
  require(!providers::verify(changed, lookup, now), "another host is refused");
  changed = signed_request;
  changed.headers.emplace_back("x-amz-added", "1");
  require(!providers::verify(changed, lookup, now), "a header added afterwards is refused");
  changed = signed_request;
  changed.method += 'X';
  require(!providers::verify(changed, lookup, now), "another method is refused");
  require(!providers::verify(signed_request, lookup, {now.ms + 301'000}), "an old signature is refused");
}

}  // namespace

// DAY SECOND KEY METHOD target LF headers LF LF body. DAY and SECOND are a byte each; KEY 1: a session token.
void fuzz_sigv4(std::string_view input) {
  Input in(input);
  WallTime now{std::int64_t{in.number(256)} * 86'400'000 * 150 + std::int64_t{in.number(256)} * 337'500};
  bool with_session = in.number(2) == 1;
  auto request = read_sigv4_request(in);
  check_stranger(request, now);
  check_canonical(request);
  // A digest header is the caller's own claim; a wrong one is refused whoever signed.
  std::erase_if(request.headers, [](const auto& header) {
    return http::same_header_name(header.first, "x-amz-content-sha256");
  });
  const providers::AwsCredentials owner{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
                                        with_session ? "session/token+=" : ""};
  if (!http::find_header(request.headers, "host")) {
    require(!providers::sign(request, owner, sigv4_scope, now), "without Host nothing is signed");
    request.headers.emplace_back("Host", "h");
  }
  require(providers::sign(request, owner, sigv4_scope, now).has_value(), "with Host everything is signed");
  // What could never be sent (a header's name with a space) need not verify.
  if (!http::request_text({}, request)) return;
  auto lookup = [&](std::string_view) { return &owner; };
  require(providers::verify(request, lookup, now).has_value(), "what is signed is verified");
  check_changed(request, lookup, now);
  auto again = request;
  require(providers::sign(again, owner, sigv4_scope, now) && again.headers == request.headers,
          "signing again gives the same signature");
}

}  // namespace troupe::fuzz
