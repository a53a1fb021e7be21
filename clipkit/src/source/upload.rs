//! Files that the service took in: they are in the media store, under an address of their own.

use super::arrival::require_streams;
use crate::av;
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Media;

/// The address of an upload without the file's name, which is for people: `upload://0123` of
/// `upload://0123/talk.mp4`.
pub(crate) fn upload_key(uri: &str) -> Option<String> {
    let id = uri.strip_prefix("upload://")?.split('/').next()?;
    let is_id = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_id.then(|| format!("upload://{}", id.to_ascii_lowercase()))
}

/// The uploaded file.
pub(super) async fn fetch(cx: &Context, uri: &str) -> Result<Media> {
    let address = uri.to_owned();
    cx.blocking(move |cx| {
        let gone = || {
            Error::new(ErrorKind::NotFound, "there is no such upload, or it is no longer in the media store")
                .with_url(&address)
                .with_advice("upload the file again")
        };
        let key = upload_key(&address).ok_or_else(gone)?;
        let store = cx.media_store()?;
        let id = store.lookup(&key)?.ok_or_else(gone)?;
        let path = cx.keep(store.find(&id)?.ok_or_else(gone)?);
        let mut media = av::probe(cx, &path, id)?;
        require_streams(&media)?;
        (media.uri, media.stamp) = (address, None);
        Ok(media)
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_an_upload_has_an_id() {
        let id = "0123456789abcdef0123456789ABCDEF";
        let key = format!("upload://{}", id.to_ascii_lowercase());
        for uri in [format!("upload://{id}"), format!("upload://{id}/talk.mp4"), format!("upload://{id}/../x")] {
            assert_eq!(upload_key(&uri).as_deref(), Some(key.as_str()), "{uri}");
        }
        for other in ["upload://", "upload://../x", "upload://0123/talk.mp4", "http://host/a"] {
            assert_eq!(upload_key(other), None, "{other}");
        }
    }
}
