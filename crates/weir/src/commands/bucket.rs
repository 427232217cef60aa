//! `weir bucket`: buckets and objects of the service, from the command line.
//!
//! Works on the place where the service keeps its objects, whether it runs or not, and reaches the buckets of all projects.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, anyhow, bail};
use clap::{Arg, ArgAction, ArgMatches, Command};
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path as Key;
use object_store::{GetResult, ObjectStore, ObjectStoreExt, WriteMultipart};
use tokio::io::AsyncReadExt;
use weir_base::audit::{AuditRecord, Change};
use weir_base::clock::{Clock, SystemClock};
use weir_base::id::ProjectId;
use weir_cloud::identity::AccountRepository;
use weir_cloud::objects::{Objects, ObjectsError};
use weir_store::StoredAccounts;

use super::confirm::confirm;
use super::variable::{metadata, project, subcommand as of_project};
use super::{Exit, Outcome, runtime};
use crate::commands::serve::wiring::{database_file, objects, sealer};
use crate::commands::text::table;
use crate::config::{ObjectsSetting, Settings, arguments, resolve};

/// What an address of an object begins with.
const SCHEME: &str = "obs://";

/// Bytes read from a local file at once.
const CHUNK: usize = 1 << 20;

fn subcommand(name: &'static str, about: &'static str) -> Command {
    Command::new(name).about(about).args(arguments().into_iter().map(|argument| argument.hide(true)))
}

fn place(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).value_name("PLACE").help(help)
}

pub fn command() -> Command {
    let yes = || Arg::new("yes").long("yes").action(ArgAction::SetTrue).help("Do not ask");
    Command::new("bucket")
        .about("Buckets and objects of the service (each command takes the options of `weir serve`, such as --data)")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            of_project("create", "Make a bucket of a project")
                .arg(place("name", "Name of the bucket").required(true)),
        )
        .subcommand(
            of_project(
                "own",
                "Give a bucket that is there to a project; stop jobs of another one that use it before",
            )
            .arg(place("name", "Name of the bucket").required(true)),
        )
        .subcommand(
            subcommand("ls", "List buckets, or the objects under obs://BUCKET/PREFIX")
                .arg(place("place", "obs://BUCKET or obs://BUCKET/PREFIX"))
                .arg(
                    Arg::new("owners")
                        .long("owners")
                        .action(ArgAction::SetTrue)
                        .conflicts_with("place")
                        .help("Show the project of each bucket"),
                ),
        )
        .subcommand(
            subcommand(
                "cp",
                "Copy a file to an object, or an object to a file; obs://BUCKET/KEY is an object",
            )
            .arg(place("from", "File or object").required(true))
            .arg(place("to", "File or object").required(true)),
        )
        .subcommand(
            subcommand("cat", "Write an object to standard output")
                .arg(place("place", "obs://BUCKET/KEY").required(true)),
        )
        .subcommand(
            subcommand("rm", "Remove an object, all objects under a prefix, or an empty bucket")
                .arg(place("place", "obs://BUCKET/KEY or obs://BUCKET").required(true))
                .arg(
                    Arg::new("recursive")
                        .long("recursive")
                        .action(ArgAction::SetTrue)
                        .help("Remove everything under the prefix"),
                )
                .arg(yes()),
        )
}

pub fn run(matches: &ArgMatches) -> Outcome {
    let Some((name, matches)) = matches.subcommand() else { return Ok(Exit::Refused) };
    let settings = Settings::new(&resolve(matches)?)?;
    check_data(&settings, name == "create")?;
    let objects = objects(&settings, &settings.data)?;
    let text = |name: &str| matches.get_one::<String>(name).map(String::as_str).unwrap_or_default();
    runtime()?.block_on(async {
        match name {
            "create" => create(&settings, &objects, text("name")).await?,
            "own" => own(&settings, &objects, text("name")).await?,
            "ls" if matches.get_flag("owners") => list_owners(&settings, &objects).await?,
            "ls" => list(&objects, text("place")).await?,
            "cp" => copy(&objects, text("from"), text("to")).await?,
            "cat" => cat(&objects, text("place")).await?,
            _ => {
                let flags = (matches.get_flag("recursive"), matches.get_flag("yes"));
                remove(&settings, &objects, text("place"), flags).await?
            }
        }
        Ok(Exit::Done)
    })
}

/// Refuses a data directory that is not there: a name with a typing mistake is no empty service. A bucket can be made before
/// the first start of the service.
fn check_data(settings: &Settings, before_first_start: bool) -> anyhow::Result<()> {
    if !matches!(settings.objects, ObjectsSetting::Local) {
        return Ok(());
    }
    let data = settings.data.display();
    if !settings.data.is_dir() {
        bail!(
            "there is no data directory `{data}`; start `weir serve` there once, or name another one with --data"
        );
    }
    if !before_first_start && !settings.data.join("objects").is_dir() {
        bail!("`{data}` is not the data directory of a service; name it with --data");
    }
    Ok(())
}

/// Makes a bucket. Before the first start of the service there are no projects: then it becomes that of the first one.
async fn create(settings: &Settings, objects: &Objects, name: &str) -> anyhow::Result<()> {
    if objects.bucket_exists(name).await? {
        return Err(ObjectsError::BucketExists(name.to_string()).into());
    }
    let mut made = None;
    if has_metadata(settings) {
        let store = metadata(settings).await?;
        let project = project(&store, settings).await?;
        let id = ProjectId(project.id);
        store.claim_buckets(&[name.to_string()], &id).await?;
        if store.bucket_owner(name).await?.as_ref() != Some(&id) {
            bail!(
                "the name `{name}` belongs to another project than `{}`; `weir bucket own` gives it away",
                project.name
            );
        }
        made = Some((store, id));
    }
    objects.create_bucket(name).await?;
    if let Some((store, id)) = made {
        store.write_audit(&audit(&id, "createBucket", name)).await?;
    }
    Ok(())
}

fn has_metadata(settings: &Settings) -> bool {
    settings.database.is_some() || database_file(settings).exists()
}

/// Returns the record of what was done with a bucket of a project. A bucket is not in the metadata, so that the record of
/// its making or removal is written right after that.
fn audit(project: &ProjectId, event: &'static str, name: &str) -> AuditRecord {
    let change = Change { service: "OBS", resource_type: "bucket", event };
    AuditRecord::of_operator(project, change, SystemClock.now()).about("", name)
}

async fn own(settings: &Settings, objects: &Objects, name: &str) -> anyhow::Result<()> {
    let store = metadata(settings).await?;
    // The name of a bucket that was removed has an owner too.
    let before = store.bucket_owner(name).await?;
    if !objects.bucket_exists(name).await? && before.is_none() {
        return Err(ObjectsError::NoBucket(name.to_string()).into());
    }
    let project = project(&store, settings).await?;
    let id = ProjectId(project.id);
    // It is on record in the project that had it, too.
    let others = before.filter(|owner| *owner != id);
    let audit: Vec<_> = [&id].into_iter().chain(&others).map(|id| audit(id, "giveBucket", name)).collect();
    store.give_bucket(name, &id, &audit).await?;
    eprintln!("bucket `{name}` belongs to project `{}`", project.name);
    Ok(())
}

async fn list_owners(settings: &Settings, objects: &Objects) -> anyhow::Result<()> {
    let store = metadata(settings).await?;
    let accounts = StoredAccounts::new(store.clone(), sealer(settings)?);
    let owners = store.bucket_owners().await?;
    let mut rows = Vec::new();
    for bucket in objects.list_buckets().await? {
        let project = match owners.get(&bucket.name) {
            Some(owner) => accounts.project(&owner.0).await?,
            None => None,
        };
        let (id, name) = project.map(|project| (project.id, project.name)).unwrap_or_default();
        rows.push(vec![format!("{SCHEME}{bucket}"), name, id]);
    }
    print!("{}", table(&["bucket", "project", "project id"], &rows));
    Ok(())
}

/// An address of objects.
struct Address<'a> {
    bucket: &'a str,
    key: &'a str,
}

impl<'a> Address<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let rest = text.strip_prefix(SCHEME)?;
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        Some(Self { bucket, key })
    }

    fn object(text: &'a str) -> anyhow::Result<Self> {
        match Self::parse(text) {
            Some(address) if !address.key.is_empty() => Ok(address),
            _ => bail!("`{text}` does not name an object; write {SCHEME}BUCKET/KEY"),
        }
    }

    async fn open(&self, objects: &Objects) -> anyhow::Result<(Arc<dyn ObjectStore>, Key)> {
        let store = objects.bucket(self.bucket).await?;
        let key = Key::parse(self.key).with_context(|| format!("`{}` is not a key", self.key))?;
        Ok((store, key))
    }

    async fn read(&self, objects: &Objects) -> anyhow::Result<GetResult> {
        let (store, key) = self.open(objects).await?;
        store.get(&key).await.map_err(|error| self.failure(error))
    }

    /// Tells that an object could not be reached.
    fn failure(&self, error: object_store::Error) -> anyhow::Error {
        match error {
            object_store::Error::NotFound { .. } => {
                anyhow!("there is no object `{}` in bucket `{}`", self.key, self.bucket)
            }
            error => anyhow::Error::new(error)
                .context(format!("object `{}` of bucket `{}` cannot be reached", self.key, self.bucket)),
        }
    }
}

async fn list(objects: &Objects, place: &str) -> anyhow::Result<()> {
    if place.is_empty() {
        for bucket in objects.list_buckets().await? {
            println!("{SCHEME}{bucket}");
        }
        return Ok(());
    }
    let Some(address) = Address::parse(place) else { bail!("`{place}` does not begin with {SCHEME}") };
    let store = objects.bucket(address.bucket).await?;
    let mut found: Vec<_> = store.list(None).try_collect().await?;
    // A prefix is text, as with S3; the store's own listing only knows whole folders.
    found.retain(|object| object.location.as_ref().starts_with(address.key));
    found.sort_by(|a, b| a.location.cmp(&b.location));
    let rows: Vec<Vec<String>> = found
        .iter()
        .map(|object| {
            let modified = object.last_modified.format("%Y-%m-%d %H:%M:%S").to_string();
            vec![object.size.to_string(), modified, object.location.to_string()]
        })
        .collect();
    print!("{}", table(&["bytes", "modified (UTC)", "key"], &rows));
    Ok(())
}

async fn copy(objects: &Objects, from: &str, to: &str) -> anyhow::Result<()> {
    match (from.starts_with(SCHEME), to.starts_with(SCHEME)) {
        (false, true) => upload(objects, Path::new(from), &Address::object(to)?).await,
        (true, false) => download(objects, &Address::object(from)?, Path::new(to)).await,
        (true, true) => {
            let mut chunks = Address::object(from)?.read(objects).await?.into_stream();
            let (write, target) = Address::object(to)?.open(objects).await?;
            let mut upload = WriteMultipart::new(write.put_multipart(&target).await?);
            while let Some(chunk) = chunks.next().await {
                upload.wait_for_capacity(4).await?;
                upload.put(chunk?);
            }
            upload.finish().await?;
            Ok(())
        }
        (false, false) => bail!("one of `{from}` and `{to}` must begin with {SCHEME}"),
    }
}

async fn upload(objects: &Objects, file: &Path, address: &Address<'_>) -> anyhow::Result<()> {
    let (store, key) = address.open(objects).await?;
    let mut reader = tokio::fs::File::open(file)
        .await
        .with_context(|| format!("the file `{}` cannot be read", file.display()))?;
    let mut upload = WriteMultipart::new(store.put_multipart(&key).await?);
    let mut chunk = vec![0; CHUNK];
    loop {
        let read = reader.read(&mut chunk).await?;
        if read == 0 {
            break;
        }
        upload.wait_for_capacity(4).await?;
        upload.write(&chunk[..read]);
    }
    upload.finish().await?;
    Ok(())
}

async fn download(objects: &Objects, address: &Address<'_>, file: &Path) -> anyhow::Result<()> {
    let mut chunks = address.read(objects).await?.into_stream();
    let mut writer = std::fs::File::create(file)
        .with_context(|| format!("the file `{}` cannot be written", file.display()))?;
    while let Some(chunk) = chunks.next().await {
        writer.write_all(&chunk?)?;
    }
    Ok(())
}

async fn cat(objects: &Objects, place: &str) -> anyhow::Result<()> {
    let mut chunks = Address::object(place)?.read(objects).await?.into_stream();
    let mut output = std::io::stdout().lock();
    while let Some(chunk) = chunks.next().await {
        output.write_all(&chunk?)?;
    }
    Ok(())
}

async fn remove(
    settings: &Settings,
    objects: &Objects,
    place: &str,
    (recursive, yes): (bool, bool),
) -> anyhow::Result<()> {
    let Some(address) = Address::parse(place) else { bail!("`{place}` does not begin with {SCHEME}") };
    let sure = || -> anyhow::Result<()> {
        match yes || confirm(&format!("remove {place}?"))? {
            true => Ok(()),
            false => bail!("nothing was removed"),
        }
    };
    let store = objects.bucket(address.bucket).await?;
    if !recursive {
        if address.key.is_empty() {
            sure()?;
            return remove_bucket(settings, objects, address.bucket).await;
        }
        let (store, key) = address.open(objects).await?;
        store.head(&key).await.map_err(|error| address.failure(error))?;
        sure()?;
        store.delete(&key).await?;
        return Ok(());
    }
    sure()?;
    let mut keys: Vec<Key> = store.list(None).map_ok(|object| object.location).try_collect().await?;
    keys.retain(|key| key.as_ref().starts_with(address.key));
    for key in &keys {
        store.delete(key).await?;
    }
    eprintln!("{} objects removed", keys.len());
    if address.key.is_empty() {
        remove_bucket(settings, objects, address.bucket).await?;
    }
    Ok(())
}

async fn remove_bucket(settings: &Settings, objects: &Objects, name: &str) -> anyhow::Result<()> {
    objects.delete_bucket(name).await?;
    if has_metadata(settings) {
        let store = metadata(settings).await?;
        if let Some(owner) = store.bucket_owner(name).await? {
            store.write_audit(&audit(&owner, "deleteBucket", name)).await?;
        }
    }
    Ok(())
}
