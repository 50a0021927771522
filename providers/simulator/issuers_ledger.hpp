// What the simulated issuers have given out and until when. Bounded, and the same for the same seed.
#pragma once

#include "providers/auth/credentials.hpp"
#include "runtime/base/rng.hpp"

#include <troupe/time.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace troupe::providers::simulator {

/// Whose services a bearer token opens.
enum class Audience { google, azure };

/// An AWS key pair and who holds it.
struct IssuedKey {
  AwsCredentials credentials;
  /// "arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION", or of the static key's user.
  std::string arn;
  std::string user_id;
  /// Where it may call models; empty: anywhere.
  std::string region;
  WallTime expires;
};

struct IssuedBearer {
  Audience audience = Audience::google;
  /// The OAuth scopes, separated by spaces.
  std::string scope;
  WallTime expires;
};

/// Entries by name, at most `entries_max`: one more drops the oldest. Not thread-safe.
template <class T>
class IssuedTable {
 public:
  explicit IssuedTable(std::size_t entries_max) : entries_max_(entries_max) {}
  /// `name` must be new. The reference holds until the entry is dropped.
  const T& add(std::string name, T value) {
    if (order_.size() >= entries_max_) {
      entries_.erase(order_.front());
      order_.pop_front();
    }
    order_.push_back(name);
    return entries_.insert_or_assign(std::move(name), std::move(value)).first->second;
  }
  /// Expired ones too; nullptr when never issued or dropped.
  const T* find(std::string_view name) const {
    auto it = entries_.find(name);
    return it == entries_.end() ? nullptr : &it->second;
  }
  std::size_t size() const { return entries_.size(); }

 private:
  std::size_t entries_max_;
  std::map<std::string, T, std::less<>> entries_;
  std::deque<std::string> order_;
};

/// Deterministic: the n-th thing issued is a function of the seed and n, so nothing here keeps a secret from
/// anyone who knows the seed. Not thread-safe.
class IssuerLedger {
 public:
  /// `issued_max` at least 1 for each kind.
  IssuerLedger(std::uint64_t seed, std::size_t issued_max);

  /// Never expires and is never dropped.
  void set_static_key(IssuedKey key) { static_key_ = std::move(key); }
  /// Fills in fresh credentials: an ASIA key, and a session token of base64 with '/', '+' and '=' as AWS's
  /// have.
  const IssuedKey& issue_key(IssuedKey holder);
  const IssuedKey* find_key(std::string_view access_key_id) const;

  /// The token is `prefix` and 43 random characters.
  std::string issue_bearer(std::string prefix, IssuedBearer bearer);
  const IssuedBearer* find_bearer(std::string_view token) const { return bearers_.find(token); }

  /// A token for the instance metadata service.
  std::string issue_session(WallTime expires);
  bool is_session(std::string_view token, WallTime wall) const;

  /// 00000000-0000-4000-8000-000000000000, random digits. For request and trace ids.
  std::string uuid();
  /// That many of A-Z and 2-7.
  std::string letters(std::size_t count);

  std::size_t keys() const { return keys_.size(); }
  std::size_t bearers() const { return bearers_.size(); }

 private:
  /// That many bytes.
  std::string random_bytes(std::size_t count);

  std::uint64_t seed_, drawn_ = 0;
  IssuedKey static_key_;
  IssuedTable<IssuedKey> keys_;
  IssuedTable<IssuedBearer> bearers_;
  IssuedTable<WallTime> sessions_;
};

}  // namespace troupe::providers::simulator
