//! What is printed when a task panics.

/// Keeps one panic of a library quiet that is no news: after an upload has failed deltalake aborts it, in a task of its
/// own, and object_store panics because it has ended. The failure itself is reported as the error that it is.
pub(super) fn quiet() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let in_upload = panic.location().is_some_and(|place| place.file().ends_with("src/buffered.rs"));
        let is_news = !(in_upload && panic.payload_as_str() == Some("Already shut down"));
        // A reader of files whose panics are reported as damaged files.
        if is_news && !crate::engine::formats::is_guarded() {
            report(panic);
        }
    }));
}
