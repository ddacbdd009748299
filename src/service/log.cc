// What can be answered without personal data: erasures, certificates, headers, proofs, status.
#include <algorithm>
#include <map>

#include "codec/header_codec.h"
#include "service/impl.h"

namespace siegel::service {

Status Impl::may(const Caller& caller, decide::Action action, std::string_view type) {
  const auto now = registries();
  const auto granted = decide::authorise(*now, {action, caller.token, caller.purpose, type, {}, true}, clock.now());
  if (granted) return Done{};
  // A refusal is an event (I6): where none can be written, nothing is said about permits either.
  if (read_only_ && !granted.error().is("token_wrong")) return read_only_error();
  if (!granted.error().is("token_wrong")) refuse(caller, granted.error(), EventType::access_read, [](const Error&) {});
  return Error(granted.error());
}

Result<ErasureAnswer> Impl::erasure(const Caller& caller, ErasureId id) {
  SIEGEL_CHECK(may(caller, decide::Action::read_erasures));
  const auto position = views.position();
  SIEGEL_TRY(row, views.erasure(id));
  if (!row) return Error(Errc::not_found, "not_found", "There is no such erasure.");
  return ErasureAnswer{id, std::move(*row), position};
}

Result<std::vector<ErasureAnswer>> Impl::erasures(const Caller& caller, std::optional<ErasureId> after,
                                                  std::size_t limit) {
  SIEGEL_CHECK(may(caller, decide::Action::read_erasures));
  const auto position = views.position();
  SIEGEL_TRY(rows, views.erasures(after, limit));
  std::vector<ErasureAnswer> out;
  for (auto& [id, row] : rows) out.push_back({id, std::move(row), position});
  return out;
}

namespace {

// "name (ground, period)" by name: what people registered and the erasure left, as it was then, and the built-in
// classes of people that it did not end. ended: by number; none: all that an erasure of all classes does.
std::vector<std::string> kept_classes(const Registries& registries, const std::vector<views::KeptClass>& registered,
                                      const std::vector<std::uint32_t>& ended) {
  std::map<std::string, std::string> by_name;
  const auto add = [&](ClassNo number, LegalGround ground, const std::string& period) {
    const auto* cls = registries.cls(number);
    if (cls == nullptr) return;
    const auto& name = cls->definition.name;
    by_name[name] = name + " (" + std::string(siegel::name_of(ground)) + ", " + period + ")";
  };
  for (const auto cls : {built_in::access_log, built_in::request_file, built_in::suppression, built_in::consent_proof,
                         built_in::message_log, built_in::merge}) {
    if (ended.empty() ? dies_at_erasure(cls) : std::ranges::count(ended, cls.get()) > 0) continue;
    if (const auto* kept = registries.cls(cls)) add(cls, kept->definition.legal_ground, kept->definition.period);
  }
  for (const auto& kept : registered) add(kept.cls, kept.ground, kept.period);
  std::vector<std::string> out;
  out.reserve(by_name.size());
  for (auto& [name, text] : by_name) out.push_back(std::move(text));
  return out;
}

}  // namespace

Result<CertifiedEvent> Impl::certified(const views::ErasureEffect& effect, TreeSize size) {
  SIEGEL_TRY(stored, ledger.read(effect.seq));
  SIEGEL_TRY(path, ledger.inclusion(effect.seq, size));
  return CertifiedEvent{effect, std::move(stored.header), std::move(path)};
}

Result<CertificateAnswer> Impl::certificate(const Caller& caller, ErasureId id) {
  SIEGEL_CHECK(may(caller, decide::Action::read_certificate));
  SIEGEL_TRY(row, views.erasure(id));
  if (!row) return Error(Errc::not_found, "not_found", "There is no such erasure.");
  const auto* effective = row->effective();
  if (effective == nullptr)
    return Error(Errc::conflict, "state_conflict", "The erasure is not effective yet: there is nothing to certify.");
  CertificateAnswer out;
  out.id = id;
  out.size = ledger.size();
  SIEGEL_TRY(last, certified(*effective, out.size));
  out.last = std::move(last);
  for (std::size_t i = 0; i + 1 < row->effects.size(); ++i) {
    SIEGEL_TRY(earlier, certified(row->effects[i], out.size));
    out.earlier.push_back(std::move(earlier));
  }
  SIEGEL_TRY(note, ledger.checkpoint_at(out.size));
  out.checkpoint = std::move(note);
  for (const auto number : row->classes) {
    const auto* cls = registries()->cls(ClassNo(number));
    out.erased_classes.push_back(cls == nullptr ? "unknown-" + std::to_string(number) : cls->definition.name);
  }
  out.kept_classes = kept_classes(*registries(), effective->kept, row->classes);
  out.row = std::move(*row);
  SIEGEL_TRY(root, ledger.root(out.size));
  out.unencrypted_swap = unencrypted_swap();
  SIEGEL_TRY(signed_text, ledger.statement(certificate_text(out, options.origin, root)));
  out.note = std::move(signed_text);
  return out;
}

Result<std::vector<EventLine>> Impl::events(const Caller& caller, Seq from, std::size_t limit) {
  SIEGEL_CHECK(may(caller, decide::Action::read_events));
  std::vector<EventLine> out;
  const auto size = ledger.size();
  if (from.get() >= size.get()) return out;
  SIEGEL_TRY(cursor, ledger.cursor(from, limit));
  Seq seq;
  ByteView header, parts;
  while (out.size() < limit) {
    SIEGEL_TRY(any, cursor->next(seq, header, parts));
    if (!any || seq.get() >= size.get()) break;
    SIEGEL_TRY(decoded, codec::decode_header(header));
    SIEGEL_TRY(leaf, ledger.leaf(seq));
    out.push_back({seq, std::move(decoded), leaf});
  }
  return out;
}

Result<InclusionAnswer> Impl::inclusion(const Caller& caller, Seq index, TreeSize size) {
  SIEGEL_CHECK(may(caller, decide::Action::read_proofs));
  if (size.get() == 0 || size > ledger.size() || index.get() >= size.get())
    return Error(Errc::invalid, "bad_value", "The index must lie below the size, and the size within the ledger.")
        .with("limit_name", "size")
        .with("limit_value", ledger.size());
  SIEGEL_TRY(leaf, ledger.leaf(index));
  SIEGEL_TRY(path, ledger.inclusion(index, size));
  SIEGEL_TRY(note, ledger.checkpoint_at(size));
  return InclusionAnswer{index, size, leaf, std::move(path), std::move(note)};
}

Result<ConsistencyAnswer> Impl::consistency(const Caller& caller, TreeSize from, TreeSize to) {
  SIEGEL_CHECK(may(caller, decide::Action::read_proofs));
  if (from > to || to > ledger.size() || to.get() == 0)
    return Error(Errc::invalid, "bad_value", "0 <= from <= to <= size of the ledger, and to is at least 1.");
  std::vector<Hash> hashes;
  if (from.get() > 0) {
    SIEGEL_TRY(path, ledger.consistency(from, to));
    hashes = std::move(path);
  }
  SIEGEL_TRY(note, ledger.checkpoint_at(to));
  return ConsistencyAnswer{from, to, std::move(hashes), std::move(note)};
}

Result<std::string> Impl::checkpoint(const Caller& caller) {
  SIEGEL_CHECK(may(caller, decide::Action::read_checkpoint));
  return ledger.checkpoint();
}

StatusAnswer Impl::status() {
  StatusAnswer out;
  out.ledger = options.id;
  out.origin = options.origin;
  out.verifier_key = options.verifier_key;
  out.size = ledger.size();
  if (out.size.get() > 0)
    if (const auto last = ledger.read(Seq(out.size.get() - 1)))
      if (const auto header = codec::decode_header(last->header)) out.checkpoint_at = header->time;
  out.read_only = read_only();
  out.epoch = vault.epoch();
  out.root_store_kind = options.root_store_kind;
  out.grade = vault.grade();
  out.projected = views.position();
  out.search_ready = identity.loaded() && search_feed.ready();
  out.erasures_open = eraser_.with([](const EraserState& e) { return e.queue.size(); });
  if (read_only_)
    if (const auto open = views.open_erasure_requests()) out.erasures_open = open->size();
  return out;
}

Counters Impl::counters() {
  return eraser_.with([&](const EraserState& e) {
    Counters out;
    out.erasures_open = e.queue.size();
    out.erasure_failure = e.failure.code.empty() ? e.terms_failure : e.failure;
    if (!e.queue.empty()) {
      const auto since = e.queue.front().requested_at.get();
      out.oldest_erasure_seconds = static_cast<double>(clock.now().get() - since) / 1000.0;
    }
    return out;
  });
}

void Impl::at_least(const Position& position, std::chrono::milliseconds wait, std::function<void(Status)> then) {
  if (position.ledger != options.id) {
    then(Error(Errc::conflict, "other_ledger", "The position belongs to another ledger."));
    return;
  }
  if (read_only_) {  // the views stand still
    then(views.position() >= position.size ? Status(Done{}) : Status(read_only_error()));
    return;
  }
  views.when(position.size, wait, [this, then = std::move(then)](bool reached) {
    if (reached) {
      then(Done{});
    } else {
      then(not_reached());
    }
  });
}

Error Impl::not_reached() const {
  if (stopping_) return Error(Errc::unavailable, "starting", "The stores are being closed; they are opened again.");
  return Error(Errc::unavailable, "position_not_reached", "The read models do not show that position yet.");
}

}  // namespace siegel::service
