#include "decide/identity.h"

#include <algorithm>

namespace siegel::decide {
namespace {

Hash random_key(Random& random) {
  Hash key;
  random.fill(key);
  return key;
}

IdentityKey shorten(const Hash& hash) { return IdentityKey(to_array<16>(ByteView(hash).first(16))); }

}  // namespace

IdentityIndex::IdentityIndex(Random& random, const Merges& merges) : hmac_(random_key(random)), merges_(merges) {}

std::optional<IdentityKey> IdentityIndex::key(const TypeDefinition& type, const Values& values) const {
  Bytes text;
  for (const auto& name : type.match_fields) {
    const auto* field = type.field(name);
    if (field == nullptr) return std::nullopt;
    const auto it = std::find_if(values.begin(), values.end(), [&](const auto& v) { return v.field == field->number; });
    if (it == values.end()) return std::nullopt;
    const auto form = match_form(field->type, it->value.expose());
    if (form.empty()) return std::nullopt;
    // Equal identity of equal kind is the same person across all types: the kind is the field's type, and its name
    // where the type alone does not say what the text means.
    const bool speaks = field->type == FieldType::email || field->type == FieldType::phone;
    append(text, as_bytes(speaks ? name_of(field->type) : std::string_view(field->name)));
    text.push_back(0);
    append(text, as_bytes(form));
    text.push_back(0);
  }
  if (text.empty()) return std::nullopt;
  return shorten(hmac_({as_bytes("identity"), text}));
}

IdentityKey IdentityIndex::key(std::string_view system, std::string_view external_id) const {
  const std::uint8_t zero[1] = {0};
  return shorten(hmac_({as_bytes("external"), zero, as_bytes(system), zero, as_bytes(external_id)}));
}

IdentityIndex::Found IdentityIndex::find(const IdentityKey& key) const {
  const std::lock_guard lock(mutex_);
  const auto number = keys_.find(key);
  if (!number) return {};
  const auto subject = merges_.name_of(one_[*number].subject);
  if (const auto others = more_.find(key); others != more_.end()) {
    const auto same = [&](const Entry& other) { return merges_.name_of(other.subject) == subject; };
    if (!std::all_of(others->second.begin(), others->second.end(), same)) return {std::nullopt, true};
  }
  return {subject, false};
}

std::vector<SubjectId> IdentityIndex::all(const IdentityKey& key) const {
  const std::lock_guard lock(mutex_);
  std::vector<SubjectId> out;
  if (const auto number = keys_.find(key)) out.push_back(one_[*number].subject);
  if (const auto others = more_.find(key); others != more_.end())
    for (const auto& other : others->second) out.push_back(other.subject);
  return out;
}

void IdentityIndex::add(const IdentityKey& key, const SubjectId& subject) {
  const std::lock_guard lock(mutex_);
  const auto known = keys_.find(key);
  const auto number = known ? *known : keys_.add(key);
  if (number == one_.size()) one_.emplace_back();
  if (!known) one_[number].subject = subject;
  if (one_[number].subject == subject) {
    ++one_[number].records;
    return;
  }
  auto& others = more_[key];
  const auto other = std::find_if(others.begin(), others.end(), [&](const Entry& e) { return e.subject == subject; });
  if (other != others.end()) {
    ++other->records;
  } else {
    others.push_back({subject, 1});
  }
}

void IdentityIndex::load(const IdentityKey& key, const SubjectId& subject, const std::function<bool()>& lives) {
  add(key, subject);
  if (lives()) return;
  // Its keys went between the opening and the adding. Whoever erases takes back after that, or has done so already.
  const std::lock_guard lock(mutex_);
  if (erased_.contains(subject)) return drop({&key, 1}, subject);
  const auto early = std::find(taken_early_.begin(), taken_early_.end(), std::pair(key, subject));
  if (early == taken_early_.end()) return;
  taken_early_.erase(early);
  take_one(key, subject);
}

void IdentityIndex::take(const IdentityKey& key, const SubjectId& subject) {
  const std::lock_guard lock(mutex_);
  if (!take_one(key, subject) && !loaded_) taken_early_.emplace_back(key, subject);
}

bool IdentityIndex::take_one(const IdentityKey& key, const SubjectId& subject) {
  Entry* entry = nullptr;
  if (const auto number = keys_.find(key); number && one_[*number].subject == subject) {
    entry = &one_[*number];
  } else if (const auto many = more_.find(key); many != more_.end()) {
    for (auto& other : many->second)
      if (other.subject == subject) entry = &other;
  }
  if (entry == nullptr) return false;
  if (--entry->records == 0) drop({&key, 1}, subject);
  return true;
}

void IdentityIndex::forget(std::span<const IdentityKey> keys, const SubjectId& subject) {
  const std::lock_guard lock(mutex_);
  if (!loaded_) erased_.insert(subject);
  drop(keys, subject);
}

void IdentityIndex::drop(std::span<const IdentityKey> keys, const SubjectId& subject) {
  for (const auto& key : keys) {
    const auto number = keys_.find(key);
    if (!number) continue;
    auto& one = one_[*number];
    const auto many = more_.find(key);
    if (many != more_.end()) {
      std::erase_if(many->second, [&](const Entry& entry) { return entry.subject == subject; });
      if (one.subject == subject && !many->second.empty()) {
        one = many->second.back();
        many->second.pop_back();
      }
      if (many->second.empty()) more_.erase(many);
    }
    if (one.subject != subject) continue;
    one = Entry();
    keys_.remove(*number);
  }
}

bool IdentityIndex::loaded() const {
  const std::lock_guard lock(mutex_);
  return loaded_;
}
void IdentityIndex::set_loaded() {
  const std::lock_guard lock(mutex_);
  loaded_ = true;
  erased_.clear();
  taken_early_.clear();
}
std::size_t IdentityIndex::size() const {
  const std::lock_guard lock(mutex_);
  return keys_.size();
}

}  // namespace siegel::decide
