//! Our nodes of physical plans as bytes; all others are Ballista's and DataFusion's.
//!
//! A node starts with [`MAGIC`], which no message of Ballista's starts with, then the kind, then the rest. The format is
//! that of one version of the program: scheduler, executors and clients are of the same.

use std::sync::Arc;

use ballista_core::serde::BallistaPhysicalExtensionCodec;
use datafusion::common::{Result, internal_datafusion_err, internal_err};
use datafusion::datasource::physical_plan::FileScanConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::physical_plan::ExecutionPlan;
use datafusion_proto::physical_plan::from_proto::{parse_protobuf_file_scan_config, parse_table_schema_from_proto};
use datafusion_proto::physical_plan::to_proto::serialize_file_scan_config;
use datafusion_proto::physical_plan::{
    PhysicalExtensionCodec, PhysicalPlanDecodeContext, PhysicalProtoConverterExtension,
};
use datafusion_proto::protobuf::FileScanExecConf;
use prost::Message;
use serde::{Deserialize, Serialize};

use super::session::Shipped;
use super::spool::Spool;
use crate::engine::formats::{self, NoRejects, RejectSink, ScanSpec};
use crate::warehouse::{PartFilesExec, PartFolder};

const MAGIC: &[u8] = b"c360";

/// Encodes and decodes physical plans.
#[derive(Debug, Default)]
pub(super) struct Codec {
    ballista: BallistaPhysicalExtensionCodec,
}

/// A node of ours.
#[derive(Serialize, Deserialize)]
enum Node {
    /// Files of a source that our readers read.
    Scan {
        spec: Box<ScanSpec>,
        /// The rest of the scan, as DataFusion writes it.
        files: Vec<u8>,
    },
    /// The writing of part files.
    PartFiles(PartFolder),
}

/// The file scan of a plan's node, if it is one.
pub(super) fn file_scan(node: &dyn ExecutionPlan) -> Option<&FileScanConfig> {
    node.downcast_ref::<DataSourceExec>()?.data_source().downcast_ref::<FileScanConfig>()
}

impl PhysicalExtensionCodec for Codec {
    fn try_decode(
        &self,
        buf: &[u8],
        inputs: &[Arc<dyn ExecutionPlan>],
        ctx: &TaskContext,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let Some(bytes) = buf.strip_prefix(MAGIC) else {
            return self.ballista.try_decode(buf, inputs, ctx, converter);
        };
        let node: Node = serde_json::from_slice(bytes).map_err(|error| DataFusionError::External(Box::new(error)))?;
        match (node, inputs) {
            (Node::PartFiles(target), [input]) => Ok(Arc::new(PartFilesExec::new(Arc::clone(input), target))),
            (Node::PartFiles(_), _) => internal_err!("PartFilesExec has one child"),
            (Node::Scan { spec, files }, _) => self.scan(*spec, &files, ctx, converter),
        }
    }

    fn try_encode(
        &self,
        node: Arc<dyn ExecutionPlan>,
        buf: &mut Vec<u8>,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<()> {
        let ours = if let Some(files) = node.downcast_ref::<PartFilesExec>() {
            Node::PartFiles(files.target().clone())
        } else if let Some((scan, spec)) = our_scan(node.as_ref()) {
            let files = serialize_file_scan_config(scan, self, converter)?.encode_to_vec();
            Node::Scan { spec: Box::new(spec.clone()), files }
        } else {
            return self.ballista.try_encode(node, buf, converter);
        };
        buf.extend_from_slice(MAGIC);
        serde_json::to_writer(buf, &ours).map_err(|error| DataFusionError::External(Box::new(error)))
    }
}

fn our_scan(node: &dyn ExecutionPlan) -> Option<(&FileScanConfig, &ScanSpec)> {
    let scan = file_scan(node)?;
    Some((scan, formats::spec_of(scan.file_source().as_ref())?))
}

impl Codec {
    fn scan(
        &self,
        spec: ScanSpec,
        files: &[u8],
        ctx: &TaskContext,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let files = FileScanExecConf::decode(files)
            .map_err(|error| internal_datafusion_err!("a scan of `{}` cannot be read: {error}", spec.name))?;
        let asked = ctx.session_config().options().extensions.get::<Shipped>();
        let rejects: Arc<dyn RejectSink> = match asked.is_some_and(|shipped| !shipped.rejects.is_empty()) {
            true => Arc::new(Spool::default()),
            false => Arc::new(NoRejects),
        };
        let url = ObjectStoreUrl::parse(&files.object_store_url)?;
        let source = formats::scan(parse_table_schema_from_proto(&files)?, url, Arc::new(spec), rejects);
        let decoding = PhysicalPlanDecodeContext::new(ctx, self);
        let scan = parse_protobuf_file_scan_config(&files, &decoding, converter, source)?;
        Ok(DataSourceExec::from_data_source(scan))
    }
}
