//! Decoding any bytes as any record never panics, and what is accepted is written back as it was.
#![no_main]

use git_baseline::codec::{Record, decode, encode};
use git_baseline::domain::{ChangeRequest, CommitRecord, Manifest, Release, SignOff, TrustRoot};

fn same<T: Record>(bytes: &[u8]) {
    if let Ok((header, value)) = decode::<T>(bytes) {
        assert_eq!(encode(header.baseline.as_ref(), &value), bytes);
    }
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    same::<TrustRoot>(bytes);
    same::<Manifest>(bytes);
    same::<Release>(bytes);
    same::<SignOff>(bytes);
    same::<ChangeRequest>(bytes);
    same::<CommitRecord>(bytes);
});
