// A ledger that is read-only from the start: registries are loaded without a job (docs/adr/0005), so that tokens,
// status, registries, headers and proofs are served. Whatever needs an event (each write, each look at a person)
// answers read_only.
#include "codec/bodies_codec.h"
#include "codec/header_codec.h"
#include "codec/parts.h"
#include "service/impl.h"

namespace siegel::service {
namespace {

bool is_registry(EventType type) {
  return type == EventType::registry_purpose_set || type == EventType::registry_class_set ||
         type == EventType::registry_type_set || type == EventType::registry_token_created ||
         type == EventType::registry_token_revoked;
}

void apply(Registries& registries, const RegistryFacts& facts, TimeMs at, RegistryBody body) {
  if (auto* purpose = std::get_if<PurposeDefinition>(&body)) {
    registries.set(Registered<PurposeDefinition>{facts.number, facts.version, std::move(*purpose)});
  } else if (auto* cls = std::get_if<ClassDefinition>(&body)) {
    registries.set(Registered<ClassDefinition>{facts.number, facts.version, std::move(*cls)});
  } else if (auto* type = std::get_if<TypeDefinition>(&body)) {
    registries.set(Registered<TypeDefinition>{facts.number, facts.version, std::move(*type)});
  } else if (auto* token = std::get_if<TokenCreated>(&body)) {
    registries.add({facts.number, token->id, token->hash, token->grant, at, false});
  } else if (auto* revoked = std::get_if<TokenRevoked>(&body)) {
    registries.revoke(revoked->id);
  }
}

}  // namespace

Status Impl::start_read_only() {
  read_only_ = true;
  SIEGEL_TRY(receipt, ledger.registry_receipt());
  SIEGEL_CHECK(load_registries([&](const views::Views::RegistryRow& row) {
    return vault.open_registry_row(receipt, row.slot, row.row, row.sealed);
  }));
  return add_newer_registries(receipt);
}

// The views may be behind, and nobody folds now: a token that was revoked last must not work again.
Status Impl::add_newer_registries(const ledger::RegistryReceipt& receipt) {
  auto all = std::make_shared<Registries>(*registries());
  SIEGEL_TRY(cursor, ledger.cursor(Seq(views.position().get())));
  for (;;) {
    Seq seq;
    ByteView header_bytes, parts_bytes;
    SIEGEL_TRY(any, cursor->next(seq, header_bytes, parts_bytes));
    if (!any) break;
    SIEGEL_TRY(header, codec::decode_header(header_bytes));
    const auto* facts = std::get_if<RegistryFacts>(&header.facts);
    if (!is_registry(header.type) || facts == nullptr) continue;
    SIEGEL_TRY(parts, codec::decode_parts(parts_bytes));
    SIEGEL_CHECK(codec::check_parts(header, parts));
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const auto number = static_cast<std::uint16_t>(i);
      const auto& part = parts[i];
      if (part.removed || part.envelope.cls != built_in::registry) continue;
      SIEGEL_TRY(opened, vault.open(receipt, header, number, part));
      SIEGEL_TRY(body, codec::decode_registry(opened.view(), header.schema));
      apply(*all, *facts, header.time, std::move(body));
    }
  }
  state.set_registries(std::move(all));
  return Done{};
}

Status Impl::room_for_more() const {
  if (options.room_is_short() && ledger.read_only().empty()) return room_error();
  return Done{};
}

Error Impl::room_error() {
  return Error(Errc::unavailable, "disk_full",
               "There is little room left on the disk: looking goes on, changes wait for room.");
}

std::vector<ledger::Reason> Impl::read_only() const {
  auto reasons = ledger.read_only();
  if (reasons.empty() && options.room_is_short()) reasons.push_back({"disk_full", room_error().text()});
  return reasons;
}

Error Impl::read_only_error() const {
  Error error(Errc::unavailable, "read_only", "The ledger takes no events, so nothing can be changed or looked at.");
  const auto reasons = ledger.read_only();
  return reasons.empty() ? error : std::move(error).with("reason", reasons.front().code);
}

}  // namespace siegel::service
