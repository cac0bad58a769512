/* OHIF's configuration inside Treegarth: one data source, the DICOMweb of the Orthanc that serves this page. */
window.config = {
  name: 'treegarth',
  routerBasename: '/treegarth/ohif/',
  extensions: [],
  modes: [],
  customizationService: [{ 'ohif.tours': { $set: [] } }], // no guided tour over the image of the first visit
  showStudyList: true,
  maxNumberOfWebWorkers: 3,
  showWarningMessageForCrossOrigin: false,
  showCPUFallbackMessage: true,
  showLoadingIndicator: true,
  strictZSpacingForVolumeViewport: true,
  groupEnabledModesFirst: true,
  showErrorDetails: 'production',
  investigationalUseDialog: { option: 'configure', days: 30 },
  maxNumRequests: { interaction: 20, thumbnail: 8, prefetch: 8 }, // Orthanc answers 50 requests at a time, for everybody
  defaultDataSourceName: 'orthanc',
  dataSources: [
    {
      namespace: '@ohif/extension-default.dataSourcesModule.dicomweb',
      sourceName: 'orthanc',
      configuration: {
        friendlyName: 'Orthanc',
        name: 'orthanc',
        wadoUriRoot: '/wado',
        qidoRoot: '/dicom-web',
        wadoRoot: '/dicom-web',
        qidoSupportsIncludeField: true,
        imageRendering: 'wadors',
        thumbnailRendering: 'wadors',
        enableStudyLazyLoad: true,
        supportsFuzzyMatching: false,
        supportsWildcard: true,
        supportsReject: false,
        dicomUploadEnabled: false,
        omitQuotationForMultipartRequest: true,
        bulkDataURI: { enabled: true },
      },
    },
  ],
};
